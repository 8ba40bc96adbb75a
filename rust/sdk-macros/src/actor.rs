//! The impl form: an actor's functions, in the one shape that the SDK exports.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Attribute, Error, FnArg, ImplItem, ImplItemFn, ItemImpl, Meta, Receiver, Result, ReturnType,
    Type,
};

/// The attributes that give a function a part to play.
const PARTS: [&str; 5] = ["handler", "start", "callback", "stop", "health"];

/// The functions with a part.
#[derive(Default)]
struct Parts {
    handler: Option<ImplItemFn>,
    start: Option<ImplItemFn>,
    callback: Option<ImplItemFn>,
    stop: Option<ImplItemFn>,
    health: Option<ImplItemFn>,
}

/// Writes the impl block without our attributes, and the actor's exports.
///
/// # Errors
///
/// The block is not one of a plain type, or a function does not fit its part.
pub fn expand(mut item: ItemImpl) -> Result<TokenStream> {
    check_block(&item)?;
    let parts = Parts::take(&mut item)?;
    let Some(handler) = &parts.handler else {
        let message = "no function has #[handler]: put it on the one that takes messages";
        return Err(Error::new_spanned(&item.self_ty, message));
    };
    let actor = &item.self_ty;
    let Handler { codecs, receive } = Handler::write(handler)?;
    let begin = parts.start.as_ref();
    let begin = begin.map_or_else(|| Ok(by_default()), start)?;
    let callback = parts.callback.as_ref().map(callback).transpose()?;
    let stop = parts.stop.as_ref().map(stop).transpose()?;
    let health = parts.health.as_ref().map(health).transpose()?;
    Ok(quote! {
        #item

        const _: () = {
            use ::airssys_sdk::actor::{self as __actor, rt as __rt};

            impl __rt::Behaviour for #actor {
                const ABOUT: __rt::About = __rt::About {
                    name: ::core::env!("CARGO_PKG_NAME"),
                    version: ::core::env!("CARGO_PKG_VERSION"),
                    description: ::core::env!("CARGO_PKG_DESCRIPTION"),
                    authors: ::core::env!("CARGO_PKG_AUTHORS"),
                    license: ::core::env!("CARGO_PKG_LICENSE"),
                };
                const CODECS: &'static [u32] = __rt::#codecs;

                fn with_state<R>(
                    act: impl ::core::ops::FnOnce(&mut ::core::option::Option<Self>) -> R,
                ) -> R {
                    ::std::thread_local! {
                        static STATE: ::core::cell::RefCell<::core::option::Option<#actor>> =
                            const { ::core::cell::RefCell::new(::core::option::Option::None) };
                    }
                    STATE.with_borrow_mut(act)
                }

                #begin
                #receive
                #callback
                #stop
                #health
            }

            type __Exported = __rt::Exported<#actor>;
            __rt::export_actor!(__Exported);
        };
    })
}

fn check_block(item: &ItemImpl) -> Result<()> {
    if let Some((_, path, _)) = &item.trait_ {
        let message = "an actor's functions are its own: write `impl Counter`, without a trait";
        return Err(Error::new_spanned(path, message));
    }
    if !item.generics.params.is_empty() {
        let message = "an actor is one type: it cannot be generic";
        return Err(Error::new_spanned(&item.generics, message));
    }
    Ok(())
}

impl Parts {
    /// Takes our attributes off the functions.
    fn take(item: &mut ItemImpl) -> Result<Self> {
        let mut parts = Self::default();
        for one in &mut item.items {
            let ImplItem::Fn(function) = one else {
                continue;
            };
            let Some((at, name)) = part(&function.attrs)? else {
                continue;
            };
            let attribute = function.attrs.remove(at);
            if let Some(second) = part(&function.attrs)? {
                let message = "a function has one part: give this to another";
                return Err(Error::new_spanned(&function.attrs[second.0], message));
            }
            check_function(function, name)?;
            let place = parts.place(name);
            if place.is_some() {
                let message = format!("an actor has one #[{name}], and there is one already");
                return Err(Error::new_spanned(attribute, message));
            }
            *place = Some(function.clone());
        }
        Ok(parts)
    }

    fn place(&mut self, name: &str) -> &mut Option<ImplItemFn> {
        match name {
            "handler" => &mut self.handler,
            "start" => &mut self.start,
            "callback" => &mut self.callback,
            "stop" => &mut self.stop,
            _ => &mut self.health,
        }
    }
}

/// The first of our attributes: where it stands, and its name.
fn part(attributes: &[Attribute]) -> Result<Option<(usize, &'static str)>> {
    for (at, attribute) in attributes.iter().enumerate() {
        let Some(name) = PARTS.iter().find(|name| attribute.path().is_ident(name)) else {
            continue;
        };
        if !matches!(attribute.meta, Meta::Path(_)) {
            return Err(Error::new_spanned(
                attribute,
                format!("takes no arguments: write #[{name}]"),
            ));
        }
        return Ok(Some((at, name)));
    }
    Ok(None)
}

fn check_function(function: &ImplItemFn, name: &str) -> Result<()> {
    let signature = &function.sig;
    if let Some(word) = &signature.asyncness {
        let message = format!("#[{name}] cannot be async: the host waits outside of the component");
        return Err(Error::new_spanned(word, message));
    }
    let generic = signature.generics.type_params().next();
    if let Some(parameter) = generic {
        let message = format!("#[{name}] cannot be generic: name the type");
        return Err(Error::new_spanned(parameter, message));
    }
    match (receiver(function), name) {
        (Some(own), "start") => {
            let message = "#[start] makes the state, so it has no self: fn(start: &Start)";
            Err(Error::new_spanned(own, message))
        }
        (Some(own), _) if own.reference.is_none() || own.colon_token.is_some() => {
            let message = format!("#[{name}] borrows the state: &mut self");
            Err(Error::new_spanned(own, message))
        }
        (None, "start") => Ok(()),
        (None, _) => {
            let message = format!("#[{name}] has the state: &mut self comes first");
            Err(Error::new_spanned(&signature.ident, message))
        }
        (Some(own), "health") if own.mutability.is_some() => {
            let message = "#[health] only looks: &self";
            Err(Error::new_spanned(own, message))
        }
        _ => Ok(()),
    }
}

fn receiver(function: &ImplItemFn) -> Option<&Receiver> {
    function.sig.receiver()
}

/// The types of the parameters, without `self`.
fn parameters(function: &ImplItemFn) -> Vec<&Type> {
    let typed = function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(&*typed.ty),
        FnArg::Receiver(_) => None,
    });
    typed.collect()
}

/// Refuses a function that has not one of these numbers of parameters.
fn take(function: &ImplItemFn, allowed: &[usize], shape: &str) -> Result<()> {
    if allowed.contains(&parameters(function).len()) {
        return Ok(());
    }
    let message = format!("has other parameters: {shape}");
    Err(Error::new_spanned(&function.sig.ident, message))
}

/// How a handler's message comes, and how its reply goes.
struct Handler {
    codecs: TokenStream,
    receive: TokenStream,
}

impl Handler {
    fn write(function: &ImplItemFn) -> Result<Self> {
        let shape = "fn(&mut self, message: …) or fn(&mut self, message: …, context: &Context)";
        take(function, &[1, 2], shape)?;
        let name = &function.sig.ident;
        let kinds = parameters(function);
        let raw = is_bytes(kinds[0]);
        let (read, argument) = if raw {
            raw_message(kinds[0])
        } else {
            typed_message(kinds[0])?
        };
        let context = kinds.get(1).map(|_| quote!(, context));
        let call = quote!(Self::#name(self, #argument #context));
        let answer = answer(&function.sig.output, &call, raw);
        let codecs = if raw {
            quote!(RAW_CODECS)
        } else {
            quote!(TYPED_CODECS)
        };
        let receive = quote! {
            fn receive(
                &mut self,
                context: &__actor::Context,
                payload: ::std::vec::Vec<u8>,
            ) -> ::core::result::Result<::std::vec::Vec<u8>, __actor::Refusal> {
                #read
                #answer
            }
        };
        Ok(Self { codecs, receive })
    }
}

/// Whether a handler takes `&[u8]` or `Vec<u8>`.
fn is_bytes(kind: &Type) -> bool {
    let text = kind.to_token_stream().to_string().replace(' ', "");
    matches!(text.as_str(), "&[u8]" | "Vec<u8>" | "std::vec::Vec<u8>")
}

fn raw_message(kind: &Type) -> (TokenStream, TokenStream) {
    let argument = if matches!(kind, Type::Reference(_)) {
        quote!(&payload)
    } else {
        quote!(payload)
    };
    (quote!(__rt::require_raw(context)?;), argument)
}

fn typed_message(kind: &Type) -> Result<(TokenStream, TokenStream)> {
    let Type::Reference(reference) = kind else {
        let read = quote!(let message = __rt::read::<#kind>(context, &payload)?;);
        return Ok((read, quote!(message)));
    };
    if reference.mutability.is_some() {
        let message = "a message is a copy: take it by value or by &";
        return Err(Error::new_spanned(kind, message));
    }
    let owned = match &*reference.elem {
        Type::Path(path) if path.path.is_ident("str") => quote!(::std::string::String),
        Type::Slice(slice) => {
            let element = &slice.elem;
            quote!(::std::vec::Vec<#element>)
        }
        other => quote!(#other),
    };
    let read = quote!(let message = __rt::read::<#owned>(context, &payload)?;);
    Ok((read, quote!(&message)))
}

/// Calls the handler and makes bytes of what it returns.
fn answer(output: &ReturnType, call: &TokenStream, raw: bool) -> TokenStream {
    let value = if crate::types::is_result(output) {
        quote!(#call.map_err(__actor::Refusal::from)?)
    } else {
        call.clone()
    };
    match (raw, crate::types::gives_nothing(output)) {
        (false, _) => quote! {
            let reply = #value;
            __rt::write(context, &reply)
        },
        (true, true) => quote! {
            #value;
            ::core::result::Result::Ok(::std::vec::Vec::new())
        },
        (true, false) => quote! {
            let reply = #value;
            ::core::result::Result::Ok(::core::convert::Into::into(reply))
        },
    }
}

fn by_default() -> TokenStream {
    quote! {
        fn begin(
            _start: &__actor::Start,
        ) -> ::core::result::Result<Self, __actor::StartError> {
            // Without #[start], the actor derives Default.
            ::core::result::Result::Ok(<Self as ::core::default::Default>::default())
        }
    }
}

fn start(function: &ImplItemFn) -> Result<TokenStream> {
    take(
        function,
        &[0, 1],
        "fn(start: &Start) -> Result<Self, StartError>",
    )?;
    if matches!(function.sig.output, ReturnType::Default) {
        let message = "#[start] returns the state: Self or Result<Self, StartError>";
        return Err(Error::new_spanned(&function.sig.ident, message));
    }
    let name = &function.sig.ident;
    let argument = parameters(function).first().map(|_| quote!(start));
    let made = if crate::types::is_result(&function.sig.output) {
        quote!(Self::#name(#argument).map_err(__actor::StartError::from))
    } else {
        quote!(::core::result::Result::Ok(Self::#name(#argument)))
    };
    Ok(quote! {
        fn begin(start: &__actor::Start) -> ::core::result::Result<Self, __actor::StartError> {
            let _ = start;
            #made
        }
    })
}

fn callback(function: &ImplItemFn) -> Result<TokenStream> {
    let shape = "fn(&mut self, request: RequestId, outcome: Result<Reply, SendError>)";
    take(function, &[2], shape)?;
    let name = &function.sig.ident;
    let ended = said(
        &function.sig.output,
        &quote!(Self::#name(self, request, outcome)),
    );
    Ok(quote! {
        fn request_ended(
            &mut self,
            request: __actor::RequestId,
            outcome: ::core::result::Result<__actor::Reply, __actor::SendError>,
        ) -> ::core::result::Result<(), ::std::string::String> {
            #ended
        }
    })
}

fn stop(function: &ImplItemFn) -> Result<TokenStream> {
    take(
        function,
        &[0, 1],
        "fn(&mut self) or fn(&mut self, reason: StopReason)",
    )?;
    let name = &function.sig.ident;
    let argument = parameters(function).first().map(|_| quote!(, reason));
    let ended = said(&function.sig.output, &quote!(Self::#name(self #argument)));
    Ok(quote! {
        fn end(
            &mut self,
            reason: __actor::StopReason,
        ) -> ::core::result::Result<(), ::std::string::String> {
            let _ = reason;
            #ended
        }
    })
}

fn health(function: &ImplItemFn) -> Result<TokenStream> {
    take(function, &[0], "fn(&self) -> Health")?;
    let name = &function.sig.ident;
    Ok(quote! {
        fn condition(&self) -> __actor::Health {
            Self::#name(self)
        }
    })
}

/// A call that returns nothing, or a `Result` of nothing.
fn said(output: &ReturnType, call: &TokenStream) -> TokenStream {
    if crate::types::is_result(output) {
        return quote!(__rt::said(#call));
    }
    quote! {
        let () = #call;
        ::core::result::Result::Ok(())
    }
}

#[cfg(test)]
#[path = "actor_tests.rs"]
mod tests;
