//! The macro of `airssys-sdk`; its documentation is there.
//!
//! `arguments` reads the attribute, `interface` derives WIT from Rust items; `module`,
//! `world` and `actor` write the code for the macro's three forms.

mod actor;
mod arguments;
mod interface;
mod module;
mod types;
mod world;

use proc_macro::TokenStream;
use syn::{Error, Item, ItemImpl, Result};

use crate::arguments::Arguments;

/// Makes a component of a module of functions, of a struct and a WIT world, or of an
/// actor's impl block.
///
/// On a **module**: each `pub fn` is exported, each `pub struct` and `pub enum`
/// becomes a type of the interface, and the module's name is the interface's.
///
/// - `package = "acme:words@1.0.0"`: default is `local:` and the crate's name.
///
/// Parameters may be borrowed (`&str`, `&[u8]`). An error type that WIT does not know
/// is sent as the string that it displays. Derives are applied to every type of the
/// module, so they must be the same on each; `Clone` and `Debug` come by themselves.
///
/// On a **struct**: the world's bindings are generated beside it, and the struct,
/// which implements their `Guest` traits, is exported.
///
/// - `wit = "wit"`: the folder or file, from the crate's own folder; this is the default.
/// - `world = "greeter"`: may be left out where the package has one world.
/// - `on_panic = report`: a `fn(&str)` that is given a panic's message before the trap.
///
/// On an **impl block**, with the feature `actor`: the function with `#[handler]` takes
/// messages, the type is the state between them; see `airssys_sdk::actor`.
#[proc_macro_attribute]
pub fn component(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(arguments, item).unwrap_or_else(|error| error.to_compile_error().into())
}

fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let arguments: Arguments = syn::parse(arguments)?;
    let expanded = match syn::parse(item)? {
        Item::Mod(module) => module::expand(&arguments.for_module()?, &module)?,
        Item::Struct(item) => world::expand(&arguments.for_world()?, &item),
        Item::Impl(item) => {
            arguments.for_actor()?;
            require_feature(&item)?;
            actor::expand(item)?
        }
        other => {
            let message = "#[component] goes on a module of functions, a struct or an impl block";
            return Err(Error::new_spanned(other, message));
        }
    };
    Ok(expanded.into())
}

/// Says so where the SDK was built without what an actor needs.
fn require_feature(item: &ItemImpl) -> Result<()> {
    if cfg!(feature = "actor") {
        return Ok(());
    }
    let message = "an actor needs a feature of the SDK: \
                   airssys-sdk = { version = \"0.1\", features = [\"actor\"] }";
    Err(Error::new_spanned(&item.self_ty, message))
}
