//! Functions that Python cannot call or supply, because of a type in them.

use super::plan::{FunctionPlan, Plan};
use std::fmt;

/// Where in a function the type stands.
#[derive(Debug)]
pub struct NotOffered {
    /// `parameter "data"` or `result`.
    place: String,
    /// The type.
    kind: &'static str,
}

impl fmt::Display for NotOffered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NotOffered { place, kind } = self;
        write!(
            f,
            "its {place} holds a {kind}, which cannot cross between Python and a guest; \
             hint: a list carries the same values at once"
        )
    }
}

impl FunctionPlan {
    /// What in its type keeps Python from it, if anything does.
    pub fn not_offered(&self) -> Option<NotOffered> {
        let params = self
            .params
            .iter()
            .map(|(name, plan)| (format!("parameter {name:?}"), plan));
        let result = self.result.iter().map(|plan| ("result".to_owned(), plan));
        params.chain(result).find_map(|(place, plan)| {
            let kind = unsupported(plan)?;
            Some(NotOffered { place, kind })
        })
    }
}

fn unsupported(plan: &Plan) -> Option<&'static str> {
    match plan {
        Plan::Unsupported(kind) => Some(kind),
        Plan::List(item) | Plan::Option(item) => unsupported(item),
        Plan::Record(fields) => fields.iter().find_map(|field| unsupported(&field.plan)),
        Plan::Tuple(items) => items.iter().find_map(unsupported),
        Plan::Variant(cases) => cases
            .iter()
            .filter_map(|case| case.plan.as_ref())
            .find_map(unsupported),
        Plan::Result { ok, err } => [ok, err]
            .into_iter()
            .filter_map(|side| side.as_deref())
            .find_map(unsupported),
        _ => None,
    }
}
