//! Derives the text of a WIT interface from the items of a module.

use std::fmt::Write as _;

use quote::ToTokens as _;
use syn::{
    Attribute, Error, Expr, Fields, FnArg, Ident, Item, ItemEnum, ItemFn, ItemStruct, Lit, Meta,
    Pat, Path, Result, ReturnType, Token, Type, Visibility, punctuated::Punctuated,
};

use crate::types::{Known, output, parameter, wit_name, wit_type};

/// The items that the component offers, and its interface in WIT.
pub struct Interface<'a> {
    pub functions: Vec<&'a ItemFn>,
    /// The types that the bindings define in place of the module's own.
    pub types: Vec<&'a Ident>,
    /// Derives that the module wants on its types, beyond those that come by themselves.
    pub derives: Vec<Path>,
    /// The interface's items, one below the other.
    pub wit: String,
    pub known: Known,
}

impl<'a> Interface<'a> {
    /// Reads the `pub` functions, structs and enums among `items`.
    ///
    /// # Errors
    ///
    /// One of them cannot be said in WIT.
    pub fn read(items: &'a [Item]) -> Result<Self> {
        let types: Vec<_> = items.iter().filter_map(public_type).collect();
        let known: Known = types.iter().map(|(name, _)| name.to_string()).collect();
        let mut interface = Self {
            functions: Vec::new(),
            types: types.iter().map(|(name, _)| *name).collect(),
            derives: shared_derives(&types)?,
            wit: String::new(),
            known,
        };
        for item in items {
            interface.add(item)?;
        }
        interface.check_names()?;
        Ok(interface)
    }

    fn add(&mut self, item: &'a Item) -> Result<()> {
        let text = match item {
            Item::Struct(item) if is_public(&item.vis) => record(item, &self.known)?,
            Item::Enum(item) if is_public(&item.vis) => variant(item, &self.known)?,
            Item::Fn(item) if is_public(&item.vis) => {
                self.functions.push(item);
                function(item, &self.known)?
            }
            _ => return Ok(()),
        };
        self.wit.push_str(&text);
        Ok(())
    }

    /// Refuses a function and a type of one name: WIT has one space for both.
    fn check_names(&self) -> Result<()> {
        for function in &self.functions {
            let name = &function.sig.ident;
            let written = wit_name(name)?;
            for kind in &self.types {
                if wit_name(kind)? == written {
                    let message = format!("`{kind}` and `{name}` are one name in WIT: change one");
                    return Err(Error::new(name.span(), message));
                }
            }
        }
        Ok(())
    }
}

/// Tells whether the bindings define this item in place of the module.
pub fn is_public_type(item: &Item) -> bool {
    public_type(item).is_some()
}

fn public_type(item: &Item) -> Option<(&Ident, &[Attribute])> {
    match item {
        Item::Struct(item) if is_public(&item.vis) => Some((&item.ident, &item.attrs)),
        Item::Enum(item) if is_public(&item.vis) => Some((&item.ident, &item.attrs)),
        _ => None,
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn record(item: &ItemStruct, known: &Known) -> Result<String> {
    let Fields::Named(fields) = &item.fields else {
        return Err(Error::new_spanned(item, "a record needs named fields"));
    };
    if fields.named.is_empty() || !item.generics.params.is_empty() {
        return Err(Error::new_spanned(
            item,
            "a record has fields, and no generics",
        ));
    }
    let mut wit = docs(&item.attrs);
    let _ = writeln!(wit, "record {} {{", wit_name(&item.ident)?);
    for field in &fields.named {
        // A named field always has its name.
        let name = field
            .ident
            .as_ref()
            .map(wit_name)
            .transpose()?
            .unwrap_or_default();
        let _ = writeln!(
            wit,
            "{}{name}: {},",
            docs(&field.attrs),
            wit_type(&field.ty, known)?
        );
    }
    Ok(wit + "}\n")
}

fn variant(item: &ItemEnum, known: &Known) -> Result<String> {
    if item.variants.is_empty() || !item.generics.params.is_empty() {
        return Err(Error::new_spanned(
            item,
            "a variant has cases, and no generics",
        ));
    }
    let plain = item.variants.iter().all(|case| case.fields.is_empty());
    let word = if plain { "enum" } else { "variant" };
    let mut wit = docs(&item.attrs);
    let _ = writeln!(wit, "{word} {} {{", wit_name(&item.ident)?);
    for case in &item.variants {
        if let Some((_, value)) = &case.discriminant {
            return Err(Error::new_spanned(value, "WIT numbers the cases itself"));
        }
        let payload = match &case.fields {
            Fields::Unit => String::new(),
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                format!("({})", wit_type(&fields.unnamed[0].ty, known)?)
            }
            _ => {
                let message = "a case carries one value at most: use a tuple or a struct";
                return Err(Error::new_spanned(case, message));
            }
        };
        let _ = writeln!(
            wit,
            "{}{}{payload},",
            docs(&case.attrs),
            wit_name(&case.ident)?
        );
    }
    Ok(wit + "}\n")
}

fn function(item: &ItemFn, known: &Known) -> Result<String> {
    let signature = &item.sig;
    let plain = signature.asyncness.is_none()
        && signature.unsafety.is_none()
        && signature.generics.type_params().next().is_none()
        && signature.generics.const_params().next().is_none();
    if !plain {
        let message = "an exported function is not async, unsafe or generic";
        return Err(Error::new_spanned(signature, message));
    }
    let mut parameters = Vec::new();
    for (name, kind) in arguments(item)? {
        parameters.push(format!(
            "{}: {}",
            wit_name(name)?,
            parameter(kind, known)?.0
        ));
    }
    let result = match &signature.output {
        ReturnType::Default => None,
        ReturnType::Type(_, kind) => output(kind, known)?.wit,
    };
    let arrow = result.map(|wit| format!(" -> {wit}")).unwrap_or_default();
    let name = wit_name(&signature.ident)?;
    let docs = docs(&item.attrs);
    Ok(format!(
        "{docs}{name}: func({}){arrow};\n",
        parameters.join(", ")
    ))
}

/// The names and types of a function's parameters.
///
/// # Errors
///
/// One is a pattern, or `self`.
pub fn arguments(item: &ItemFn) -> Result<Vec<(&Ident, &Type)>> {
    let named = item.sig.inputs.iter().map(|input| match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(name) => Ok((&name.ident, &*typed.ty)),
            other => Err(Error::new_spanned(
                other,
                "a parameter of the interface needs a name",
            )),
        },
        FnArg::Receiver(receiver) => Err(Error::new_spanned(
            receiver,
            "a function of a module has no self",
        )),
    });
    named.collect()
}

/// The documentation of an item, as WIT writes it.
fn docs(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
    {
        if let Meta::NameValue(pair) = &attribute.meta
            && let Expr::Lit(value) = &pair.value
            && let Lit::Str(line) = &value.lit
        {
            for line in line.value().lines() {
                let _ = writeln!(text, "///{line}");
            }
        }
    }
    text
}

/// The derives of the types, which must agree: the bindings put them on every type.
fn shared_derives(types: &[(&Ident, &[Attribute])]) -> Result<Vec<Path>> {
    let mut shared: Option<Vec<Path>> = None;
    for (name, attributes) in types {
        let mut derives = own_derives(attributes)?;
        derives.sort_by_key(spell);
        match &shared {
            Some(first) if spelled(first) != spelled(&derives) => {
                let message = "derives are put on every type of the module: \
                               write the same on each (Clone, Copy and Debug come by themselves)";
                return Err(Error::new(name.span(), message));
            }
            _ => shared = Some(derives),
        }
    }
    Ok(shared.unwrap_or_default())
}

fn spell(path: &Path) -> String {
    path.to_token_stream().to_string()
}

fn spelled(paths: &[Path]) -> Vec<String> {
    paths.iter().map(spell).collect()
}

fn own_derives(attributes: &[Attribute]) -> Result<Vec<Path>> {
    let mut derives = Vec::new();
    for attribute in attributes {
        if attribute.path().is_ident("derive") {
            let listed =
                attribute.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)?;
            derives.extend(listed.into_iter().filter(|path| {
                !["Clone", "Copy", "Debug"]
                    .iter()
                    .any(|given| path.is_ident(given))
            }));
        } else if !attribute.path().is_ident("doc") {
            let message = "would be lost: a type of the interface takes documentation and derives";
            return Err(Error::new_spanned(attribute, message));
        }
    }
    Ok(derives)
}

#[cfg(test)]
mod tests {
    use syn::{File, parse_str};

    use super::Interface;

    fn wit(text: &str) -> Result<String, String> {
        let file: File = parse_str(text).unwrap();
        match Interface::read(&file.items) {
            Ok(interface) => Ok(interface.wit),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn items_become_wit_with_their_documentation() {
        let text = "
            /// One reader.
            pub struct Person { /// Full name.
                pub name: String, pub ages: Vec<u8> }
            pub enum Colour { Red, DeepBlue }
            pub enum Shape { Empty, Circle(f64) }
            struct Hidden(usize);
            fn helper(hidden: Hidden) {}
            /// Greets.
            pub fn greet(who: &Person, loud: bool) -> Result<String, std::fmt::Error> { todo!() }
        ";
        let expected = "/// One reader.\nrecord %person {\n/// Full name.\n%name: string,\n\
            %ages: list<u8>,\n}\nenum %colour {\n%red,\n%deep-blue,\n}\n\
            variant %shape {\n%empty,\n%circle(f64),\n}\n\
            /// Greets.\n%greet: func(%who: %person, %loud: bool) -> result<string, string>;\n";
        assert_eq!(wit(text).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_said_in_wit_is_refused() {
        let refused = [
            ("pub struct Empty;", "named fields"),
            ("pub enum Two { Pair(u8, u8) }", "one value at most"),
            ("pub enum Numbered { One = 1 }", "numbers the cases"),
            ("pub struct HTTPError { pub code: u8 }", "name it HttpError"),
            ("pub async fn later() {}", "not async"),
            ("pub fn any<T>(value: T) {}", "generic"),
            ("pub fn pair((a, b): (u8, u8)) {}", "needs a name"),
            (
                "pub struct Count { pub a: u8 } pub fn count() {}",
                "one name",
            ),
            ("#[repr(C)] pub struct Laid { pub a: u8 }", "would be lost"),
            (
                "#[derive(PartialEq)] pub struct A { pub a: u8 } pub struct B { pub b: u8 }",
                "the same on each",
            ),
        ];
        for (text, reason) in refused {
            let error = wit(text).expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
