//! The struct form: bindings for a world that is written in WIT.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemStruct;

use crate::arguments::ForWorld;

/// Writes the bindings, the struct, and its export.
pub fn expand(arguments: &ForWorld, item: &ItemStruct) -> TokenStream {
    let ForWorld {
        wit,
        world,
        on_panic,
    } = arguments;
    let world = world.iter();
    let name = &item.ident;
    let initialize = on_panic.iter();
    quote! {
        ::airssys_sdk::wit_bindgen::generate!({
            path: #wit,
            #(world: #world,)*
            runtime_path: "::airssys_sdk::wit_bindgen::rt",
            generate_all,
        });

        #item

        export!(#name);

        // A component calls this once, when it is instantiated.
        #(
            #[cfg(target_arch = "wasm32")]
            #[unsafe(export_name = "_initialize")]
            extern "C" fn __airssys_initialize() {
                ::airssys_sdk::panic::report_to(#initialize);
            }
        )*
    }
}
