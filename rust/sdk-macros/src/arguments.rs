//! Reads what stands in the parentheses of `#[component(…)]`.

use heck::ToKebabCase;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Error, Ident, LitStr, Path, Result, Token};

/// The arguments as written; which are allowed depends on the item.
#[derive(Default)]
pub struct Arguments {
    package: Option<LitStr>,
    wit: Option<LitStr>,
    world: Option<LitStr>,
    on_panic: Option<Path>,
}

/// The arguments of the module form.
pub struct ForModule {
    /// Namespace, name and version: `acme:words@1.0.0`.
    pub package: Package,
}

/// A WIT package's name, in its parts.
pub struct Package {
    pub namespace: String,
    pub name: String,
    /// With the `@` before it, or empty.
    pub version: String,
}

/// The arguments of the struct form.
pub struct ForWorld {
    pub wit: String,
    pub world: Option<String>,
    pub on_panic: Option<Path>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut arguments = Self::default();
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            match name.to_string().as_str() {
                "package" => set(&mut arguments.package, &name, input)?,
                "wit" => set(&mut arguments.wit, &name, input)?,
                "world" => set(&mut arguments.world, &name, input)?,
                "on_panic" => set(&mut arguments.on_panic, &name, input)?,
                _ => {
                    let message = "unknown argument: package, wit, world or on_panic";
                    return Err(Error::new(name.span(), message));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(arguments)
    }
}

fn set<T: Parse>(slot: &mut Option<T>, name: &Ident, input: ParseStream<'_>) -> Result<()> {
    if slot.is_some() {
        return Err(Error::new(name.span(), "given twice"));
    }
    *slot = Some(input.parse()?);
    Ok(())
}

impl Arguments {
    /// Checks the arguments of a module.
    pub fn for_module(self) -> Result<ForModule> {
        if let Some(text) = self.wit.or(self.world) {
            let message = "a module's interface is derived from it: put wit and world on a struct";
            return Err(Error::new(text.span(), message));
        }
        if let Some(path) = self.on_panic {
            let message = "a module imports nothing to report to: put on_panic on a struct";
            return Err(Error::new_spanned(path, message));
        }
        let package = match self.package {
            Some(text) => Package::parse(&text)?,
            None => Package::of_crate(),
        };
        Ok(ForModule { package })
    }

    /// Checks the arguments of an impl block: there are none.
    pub fn for_actor(self) -> Result<()> {
        let text = self.package.or(self.wit).or(self.world);
        let span = text.map(|text| text.span());
        let span = span.or(self.on_panic.map(|path| path.span()));
        span.map_or(Ok(()), |span| {
            let message = "an actor's interface is airssys:core: write #[component] alone";
            Err(Error::new(span, message))
        })
    }

    /// Checks the arguments of a struct.
    pub fn for_world(self) -> Result<ForWorld> {
        if let Some(package) = self.package {
            let message = "a struct's package is named by its WIT: put package on a module";
            return Err(Error::new(package.span(), message));
        }
        Ok(ForWorld {
            wit: self
                .wit
                .map_or_else(|| "wit".to_owned(), |text| text.value()),
            world: self.world.map(|text| text.value()),
            on_panic: self.on_panic,
        })
    }
}

impl Package {
    fn parse(text: &LitStr) -> Result<Self> {
        let value = text.value();
        let (path, version) = match value.split_once('@') {
            Some((path, version)) => (path, format!("@{version}")),
            None => (value.as_str(), String::new()),
        };
        match path.split_once(':') {
            Some((namespace, name)) if is_id(namespace) && is_id(name) => Ok(Self {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                version,
            }),
            _ => Err(Error::new(
                text.span(),
                "not a package: write it like acme:words@1.0.0",
            )),
        }
    }

    /// `local:` and the name of the crate that is being compiled.
    fn of_crate() -> Self {
        let name = std::env::var("CARGO_PKG_NAME")
            .unwrap_or_default()
            .to_kebab_case();
        let name = if is_id(&name) {
            name
        } else {
            "component".to_owned()
        };
        Self {
            namespace: "local".to_owned(),
            name,
            version: String::new(),
        }
    }
}

fn is_id(text: &str) -> bool {
    text.split('-').all(|word| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word
                .chars()
                .all(|rest| rest.is_ascii_lowercase() || rest.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::Arguments;

    fn module_error(text: &str) -> String {
        match syn::parse_str::<Arguments>(text).and_then(Arguments::for_module) {
            Ok(_) => panic!("{text} was taken"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_package_is_split_into_its_parts() {
        let arguments: Arguments = syn::parse_str(r#"package = "acme:big-words@1.2.3""#).unwrap();
        let package = arguments.for_module().unwrap().package;
        assert_eq!(package.namespace, "acme");
        assert_eq!(package.name, "big-words");
        assert_eq!(package.version, "@1.2.3");
    }

    #[test]
    fn an_argument_that_would_be_ignored_is_refused() {
        assert!(module_error(r#"world = "w""#).contains("on a struct"));
        assert!(module_error("on_panic = f").contains("on a struct"));
        assert!(module_error(r#"colour = "red""#).contains("unknown argument"));
        assert!(module_error(r#"package = "a:b", package = "a:b""#).contains("twice"));
        assert!(module_error(r#"package = "Acme""#).contains("not a package"));
        let arguments: Arguments = syn::parse_str(r#"package = "a:b""#).unwrap();
        assert!(arguments.for_world().is_err());
    }
}
