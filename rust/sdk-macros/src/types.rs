//! Translates Rust types into WIT types.

use heck::{ToKebabCase, ToUpperCamelCase};
use syn::{Error, GenericArgument, Ident, PathArguments, Result, ReturnType, Type, TypePath};

/// The names of the types that the module defines.
pub type Known = std::collections::BTreeSet<String>;

/// What a function gives back.
pub struct Output {
    /// Its WIT type; `None` for nothing.
    pub wit: Option<String>,
    /// Whether the error is to be turned into a string by displaying it.
    pub displays_error: bool,
}

/// Writes a type in WIT.
///
/// # Errors
///
/// The type has no counterpart in WIT; the message names one to use instead.
pub fn wit_type(kind: &Type, known: &Known) -> Result<String> {
    match kind {
        Type::Path(path) if path.qself.is_none() => wit_path(path, known),
        Type::Tuple(tuple) if !tuple.elems.is_empty() => {
            let inner: Result<Vec<_>> =
                tuple.elems.iter().map(|one| wit_type(one, known)).collect();
            Ok(format!("tuple<{}>", inner?.join(", ")))
        }
        Type::Paren(inner) => wit_type(&inner.elem, known),
        Type::Group(inner) => wit_type(&inner.elem, known),
        Type::Reference(_) => refuse(
            kind,
            "a reference cannot leave the component: use an owned type",
        ),
        _ => refuse(kind, "has no counterpart in WIT"),
    }
}

/// Writes a parameter's type in WIT, and tells whether the function borrows it.
///
/// # Errors
///
/// As [`wit_type`].
pub fn parameter(kind: &Type, known: &Known) -> Result<(String, bool)> {
    let Type::Reference(reference) = kind else {
        return Ok((wit_type(kind, known)?, false));
    };
    if reference.mutability.is_some() {
        return refuse(kind, "arguments are copies: take it by value or by &");
    }
    let wit = match &*reference.elem {
        Type::Slice(slice) => format!("list<{}>", wit_type(&slice.elem, known)?),
        Type::Path(path) if path.path.is_ident("str") => "string".to_owned(),
        other => wit_type(other, known)?,
    };
    Ok((wit, true))
}

/// Writes a return type in WIT.
///
/// # Errors
///
/// As [`wit_type`]; never for the error of a `Result`, which becomes a string.
pub fn output(kind: &Type, known: &Known) -> Result<Output> {
    if is_unit(kind) {
        return Ok(Output {
            wit: None,
            displays_error: false,
        });
    }
    let Some(arguments) = result_arguments(kind) else {
        return Ok(Output {
            wit: Some(wit_type(kind, known)?),
            displays_error: false,
        });
    };
    let value = arguments
        .first()
        .ok_or_else(|| Error::new_spanned(kind, "Result of what?"))?;
    let error = match arguments.get(1) {
        Some(error) if is_unit(error) => Some(None),
        Some(error) => wit_type(error, known).ok().map(Some),
        // An alias such as `std::io::Result<T>`: its error is not in sight.
        None => None,
    };
    let displays_error = error.is_none();
    let error = error.unwrap_or_else(|| Some("string".to_owned()));
    Ok(Output {
        wit: Some(wit_result(value, error, known)?),
        displays_error,
    })
}

/// The type behind a reference parameter, as the shim owns it.
pub fn owned(kind: &Type) -> Type {
    let Type::Reference(reference) = kind else {
        return kind.clone();
    };
    match &*reference.elem {
        Type::Slice(slice) => {
            let element = &slice.elem;
            syn::parse_quote!(::std::vec::Vec<#element>)
        }
        Type::Path(path) if path.path.is_ident("str") => syn::parse_quote!(::std::string::String),
        other => other.clone(),
    }
}

/// The value type of a `Result`.
pub fn result_value(kind: &Type) -> Option<&Type> {
    result_arguments(kind)?.first().copied()
}

/// A Rust name in WIT: kebab-case, with the `%` that keeps it from being a keyword.
///
/// # Errors
///
/// The name would come back from WIT as another one, and the bindings would not fit.
pub fn wit_name(name: &Ident) -> Result<String> {
    let text = name.to_string();
    let kebab = text.to_kebab_case();
    let is_type = text.starts_with(|first: char| first.is_ascii_uppercase());
    let back = if is_type {
        kebab.to_upper_camel_case()
    } else {
        kebab.replace('-', "_")
    };
    if back != text {
        let message = format!("cannot be written in WIT: name it {back}");
        return Err(Error::new(name.span(), message));
    }
    Ok(format!("%{kebab}"))
}

fn wit_path(path: &TypePath, known: &Known) -> Result<String> {
    let last = path
        .path
        .segments
        .last()
        .ok_or_else(|| Error::new_spanned(path, "no type"))?;
    let name = last.ident.to_string();
    let arguments = type_arguments(&last.arguments);
    let plain = match name.as_str() {
        "bool" | "u8" | "u16" | "u32" | "u64" | "f32" | "f64" | "char" => Some(name.clone()),
        "i8" | "i16" | "i32" | "i64" => Some(name.replace('i', "s")),
        "String" => Some("string".to_owned()),
        _ if path.path.segments.len() == 1 && known.contains(&name) => Some(wit_name(&last.ident)?),
        _ => None,
    };
    match (name.as_str(), arguments.as_slice()) {
        ("Vec", [element]) => Ok(format!("list<{}>", wit_type(element, known)?)),
        ("Option", [inner]) => Ok(format!("option<{}>", wit_type(inner, known)?)),
        ("Result", [value, error]) => {
            let error = if is_unit(error) {
                None
            } else {
                Some(wit_type(error, known)?)
            };
            wit_result(value, error, known)
        }
        ("usize" | "isize" | "u128" | "i128", []) => {
            refuse(path, "has no counterpart in WIT: use u32, u64, i32 or i64")
        }
        ("HashMap" | "BTreeMap", _) => refuse(path, "WIT has no maps: use Vec<(K, V)>"),
        (_, []) if let Some(plain) = plain => Ok(plain),
        _ => refuse(
            path,
            "is neither a WIT type nor a `pub` type of this module",
        ),
    }
}

fn wit_result(value: &Type, error: Option<String>, known: &Known) -> Result<String> {
    let value = if is_unit(value) {
        None
    } else {
        Some(wit_type(value, known)?)
    };
    Ok(match (value, error) {
        (Some(value), Some(error)) => format!("result<{value}, {error}>"),
        (Some(value), None) => format!("result<{value}>"),
        (None, Some(error)) => format!("result<_, {error}>"),
        (None, None) => "result".to_owned(),
    })
}

/// Whether a function returns a `Result`, by that name.
pub fn is_result(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, kind) if result_arguments(kind).is_some())
}

/// Whether a function returns nothing, or a `Result` of nothing.
pub fn gives_nothing(output: &ReturnType) -> bool {
    let ReturnType::Type(_, kind) = output else {
        return true;
    };
    is_unit(kind) || result_value(kind).is_some_and(is_unit)
}

fn result_arguments(kind: &Type) -> Option<Vec<&Type>> {
    let Type::Path(path) = kind else { return None };
    let last = path.path.segments.last()?;
    (last.ident == "Result").then(|| type_arguments(&last.arguments))
}

fn type_arguments(arguments: &PathArguments) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return Vec::new();
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(kind) => Some(kind),
        _ => None,
    });
    types.collect()
}

fn is_unit(kind: &Type) -> bool {
    matches!(kind, Type::Tuple(tuple) if tuple.elems.is_empty())
}

fn refuse<T>(kind: impl quote::ToTokens, message: &str) -> Result<T> {
    let text = kind.to_token_stream().to_string().replace(' ', "");
    Err(Error::new_spanned(kind, format!("`{text}` {message}")))
}

#[cfg(test)]
mod tests {
    use syn::{Type, parse_str};

    use super::{Known, output, parameter, wit_type};

    fn known() -> Known {
        Known::from(["Person".to_owned()])
    }

    fn wit(text: &str) -> String {
        let kind: Type = parse_str(text).unwrap();
        match wit_type(&kind, &known()) {
            Ok(wit) => wit,
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn every_owned_type_has_its_wit() {
        assert_eq!(wit("i16"), "s16");
        assert_eq!(wit("u64"), "u64");
        assert_eq!(wit("f32"), "f32");
        assert_eq!(wit("std::string::String"), "string");
        assert_eq!(wit("Vec<Vec<u8>>"), "list<list<u8>>");
        assert_eq!(wit("Option<(char, bool)>"), "option<tuple<char, bool>>");
        assert_eq!(wit("Vec<Person>"), "list<%person>");
        assert_eq!(wit("Result<(), Person>"), "result<_, %person>");
        assert_eq!(wit("Result<u8, ()>"), "result<u8>");
        assert_eq!(wit("Result<(), ()>"), "result");
    }

    #[test]
    fn what_wit_lacks_is_refused_with_advice() {
        assert!(wit("usize").contains("use u32"), "{}", wit("usize"));
        assert!(wit("HashMap<String, u8>").contains("Vec<(K, V)>"));
        assert!(wit("&'static str").contains("owned"));
        assert!(wit("Ghost").contains("neither"));
        assert!(wit("elsewhere::Person").contains("neither"));
        assert!(wit("fn(u8)").contains("no counterpart"));
    }

    #[test]
    fn parameters_may_be_borrowed() {
        let of = |text: &str| parameter(&parse_str(text).unwrap(), &known()).unwrap();
        assert_eq!(of("&str"), ("string".to_owned(), true));
        assert_eq!(of("&[Person]"), ("list<%person>".to_owned(), true));
        assert_eq!(of("&Person"), ("%person".to_owned(), true));
        assert_eq!(of("u8"), ("u8".to_owned(), false));
        assert!(parameter(&parse_str("&mut Person").unwrap(), &known()).is_err());
    }

    #[test]
    fn an_error_that_wit_does_not_know_is_displayed() {
        let of = |text: &str| output(&parse_str(text).unwrap(), &known()).unwrap();
        let io = of("std::io::Result<u8>");
        assert_eq!(
            (io.wit.as_deref(), io.displays_error),
            (Some("result<u8, string>"), true)
        );
        let parse = of("Result<(), ParseIntError>");
        assert_eq!(
            (parse.wit.as_deref(), parse.displays_error),
            (Some("result<_, string>"), true)
        );
        let own = of("Result<u8, Person>");
        assert_eq!(
            (own.wit.as_deref(), own.displays_error),
            (Some("result<u8, %person>"), false)
        );
        assert!(of("()").wit.is_none());
    }
}
