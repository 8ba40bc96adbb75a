//! The module form: bindings for an interface that is derived from functions.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Error, Ident, Item, ItemFn, ItemMod, Result, ReturnType, Type};

use crate::arguments::{ForModule, Package};
use crate::interface::{Interface, arguments, is_public_type};
use crate::types::{Known, output, owned, parameter, result_value, wit_name};

/// Writes the module again, with its public types taken from the bindings, and with
/// an implementation of their `Guest` trait that calls its public functions.
pub fn expand(arguments: &ForModule, module: &ItemMod) -> Result<TokenStream> {
    let Some((_, items)) = &module.content else {
        let message = "the macro must see the module: write its body here";
        return Err(Error::new_spanned(module, message));
    };
    let interface = Interface::read(items)?;
    if interface.functions.is_empty() {
        return Err(Error::new_spanned(
            module,
            "exports nothing: make a function `pub`",
        ));
    }
    let shims: Result<Vec<_>> = interface
        .functions
        .iter()
        .map(|function| shim(function, &interface.known))
        .collect();
    Ok(assemble(
        arguments,
        module,
        items,
        &interface,
        &shims?,
        &world(arguments, module, &interface)?,
    ))
}

/// The interface in a package of its own, with a world that exports it.
fn world(arguments: &ForModule, module: &ItemMod, interface: &Interface<'_>) -> Result<String> {
    let Package {
        namespace,
        name,
        version,
    } = &arguments.package;
    let room = wit_name(&module.ident)?;
    // `component` could be the interface's own name; WIT has one space for both.
    let world = if module.ident == "component" {
        "world-of-component"
    } else {
        "component"
    };
    let items = &interface.wit;
    Ok(format!(
        "package %{namespace}:%{name}{version};\n\
         interface {room} {{\n{items}}}\n\
         world {world} {{ export {room}; }}\n"
    ))
}

fn assemble(
    arguments: &ForModule,
    module: &ItemMod,
    items: &[Item],
    interface: &Interface<'_>,
    shims: &[TokenStream],
    wit: &str,
) -> TokenStream {
    let ItemMod {
        attrs, vis, ident, ..
    } = module;
    let Interface { types, derives, .. } = interface;
    let kept = items.iter().filter(|item| !is_public_type(item));
    let namespace = rust_name(&arguments.package.namespace);
    let package = rust_name(&arguments.package.name);
    let guest = quote!(bindings::exports::#namespace::#package::#ident);
    quote! {
        #(#attrs)*
        #vis mod #ident {
            // Generated code is not the author's to clean.
            #[allow(warnings, clippy::all, clippy::pedantic, missing_docs)]
            mod bindings {
                ::airssys_sdk::wit_bindgen::generate!({
                    inline: #wit,
                    runtime_path: "::airssys_sdk::wit_bindgen::rt",
                    additional_derives: [#(#derives),*],
                });
            }

            #(pub use #guest::#types;)*

            #(#kept)*

            struct Exported;

            impl #guest::Guest for Exported {
                #(#shims)*
            }

            bindings::export!(Exported with_types_in bindings);
        }
    }
}

/// One function of the `Guest` trait: owns the arguments, lends them on, and turns an
/// error that WIT does not know into its text.
fn shim(function: &ItemFn, known: &Known) -> Result<TokenStream> {
    let name = &function.sig.ident;
    let (mut parameters, mut passed) = (Vec::new(), Vec::new());
    for (argument, kind) in arguments(function)? {
        let owned = owned(kind);
        let (_, borrowed) = parameter(kind, known)?;
        parameters.push(quote!(#argument: #owned));
        passed.push(if borrowed {
            quote!(&#argument)
        } else {
            quote!(#argument)
        });
    }
    let call = quote!(self::#name(#(#passed),*));
    let ReturnType::Type(_, kind) = &function.sig.output else {
        return Ok(quote!(fn #name(#(#parameters),*) { #call }));
    };
    let (kind, call) = returned(kind, &call, known)?;
    Ok(quote!(fn #name(#(#parameters),*) -> #kind { #call }))
}

/// The type that the shim returns, and the expression that makes it.
fn returned(kind: &Type, call: &TokenStream, known: &Known) -> Result<(TokenStream, TokenStream)> {
    match result_value(kind) {
        Some(value) if output(kind, known)?.displays_error => Ok((
            quote!(::std::result::Result<#value, ::std::string::String>),
            quote!(#call.map_err(|error| ::std::string::ToString::to_string(&error))),
        )),
        _ => Ok((quote!(#kind), call.clone())),
    }
}

/// The Rust module that the bindings make for a part of a package's name.
fn rust_name(name: &str) -> Ident {
    let name = name.replace('-', "_");
    match syn::parse_str::<Ident>(&name) {
        Ok(_) => Ident::new(&name, Span::call_site()),
        // A keyword: the bindings put an underscore behind it.
        Err(_) => format_ident!("{name}_"),
    }
}
