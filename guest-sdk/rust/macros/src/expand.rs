//! From a checked class to the code that stands for it.

use std::time::Duration;

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::{Error, ItemImpl, Result};

use crate::attributes::{Attributes, Execution, WaitTime};
use crate::class::{Class, Function};
use crate::sets::{Entry, Set, What};

pub(crate) fn user(attributes: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let attributes: Attributes = syn::parse2(attributes)?;
    let mut block: ItemImpl = syn::parse2(item).map_err(|error| {
        Error::new(
            error.span(),
            format!("#[user] goes on the `impl` block of a struct: {error}"),
        )
    })?;
    let class = Class::read(attributes, &mut block)?;
    let constants = constants(&class);
    let steps = steps(&class);
    let ty = &class.ty;
    Ok(quote! {
        #block

        impl ::aiotest::__private::User for #ty {
            const CLASS: ::aiotest::__private::Class = #constants;

            #[allow(
                clippy::await_holding_refcell_ref,
                reason = "a step that overlaps with it gets an error"
            )]
            async fn call(
                user: &::aiotest::__private::RefCell<Self>,
                step: ::aiotest::__private::Step,
            ) -> ::aiotest::Result<::aiotest::__private::Duration> {
                #steps
                ::core::result::Result::Ok(::aiotest::__private::Duration::ZERO)
            }
        }
    })
}

fn constants(class: &Class) -> TokenStream {
    let name = &class.name;
    let attributes = &class.attributes;
    let weight = attributes.weight.unwrap_or(1);
    let host = option(attributes.host.as_ref());
    let wait_time = wait_time(&attributes.wait_time);
    let execution = execution(class.execution);
    let most = option(
        attributes
            .max_concurrent_tasks
            .as_ref()
            .map(|(most, _)| most),
    );
    let session = session(attributes);
    let throughput = option(attributes.throughput);
    let tasks = class.list.iter().map(|entry| task(class, entry));
    quote! {
        ::aiotest::__private::Class {
            name: #name,
            weight: #weight,
            host: #host,
            wait_time: #wait_time,
            execution: #execution,
            max_concurrent_tasks: #most,
            throughput: #throughput,
            tasks: &[#(#tasks),*],
            session: || #session,
            create: ::aiotest::__private::create::<Self>,
        }
    }
}

/// What the list of tasks says of one place in it.
fn task(class: &Class, entry: &Entry) -> TokenStream {
    let (name, weight, tags, set) = match entry.what {
        What::Task(index) => {
            let task = &class.tasks[index];
            let said = &task.attributes;
            (&task.function.name, said.weight, &said.tags, None)
        }
        What::Set(index) => {
            let set = &class.attributes.sets[index];
            (&set.name, set.weight, &set.tags, Some(task_set(set)))
        }
    };
    let name = name.to_string();
    let weight = weight.unwrap_or(1);
    let parent = option(entry.parent.map(Literal::usize_unsuffixed));
    let set = option(set);
    quote! {
        ::aiotest::__private::Task {
            name: #name,
            weight: #weight,
            tags: &[#(#tags),*],
            parent: #parent,
            set: #set,
        }
    }
}

fn task_set(set: &Set) -> TokenStream {
    let execution = execution(set.execution);
    let rounds = option(set.rounds);
    quote!(::aiotest::__private::TaskSet { execution: #execution, rounds: #rounds })
}

fn session(attributes: &Attributes) -> TokenStream {
    let headers = attributes.headers.as_ref().map(|headers| {
        quote! {
            headers: #headers
                .into_iter()
                .map(|(name, value)| (
                    ::std::string::String::from(name),
                    ::std::string::String::from(value),
                ))
                .collect(),
        }
    });
    let cookies = attributes.cookies.map(|cookies| quote!(cookies: #cookies,));
    let timeout = option(attributes.timeout.map(duration));
    let redirects = option(attributes.redirects);
    let retries = option(attributes.retries);
    quote! {
        ::aiotest::SessionOptions {
            #headers
            #cookies
            timeout: #timeout,
            redirects: #redirects,
            retries: #retries,
            ..::core::default::Default::default()
        }
    }
}

fn steps(class: &Class) -> TokenStream {
    let calls = |function: &Function| {
        let name = &function.name;
        let access = if function.exclusive {
            quote!(exclusive)
        } else {
            quote!(shared)
        };
        let wait = function.asynchronous.then(|| quote!(.await));
        quote!(::aiotest::__private::#access(user)?.#name() #wait)
    };
    let tasks = (0u32..).zip(&class.list).filter_map(|(index, entry)| {
        let What::Task(task) = entry.what else {
            return None;
        };
        let call = calls(&class.tasks[task].function);
        Some(quote!(::aiotest::__private::Step::Task(#index) => { #call?; }))
    });
    let on_start = class
        .on_start
        .as_ref()
        .map(calls)
        .map(|call| quote!(#call?;));
    let on_stop = class
        .on_stop
        .as_ref()
        .map(calls)
        .map(|call| quote!(#call?;));
    let run = class
        .run
        .as_ref()
        .map(calls)
        .map(|call| quote!(::aiotest::__private::Step::Run => { #call?; }));
    let wait_time = class.wait_time.as_ref().map(calls).map(|call| {
        quote! {
            ::aiotest::__private::Step::WaitTime => {
                return ::core::result::Result::Ok(#call);
            }
        }
    });
    quote! {
        match step {
            ::aiotest::__private::Step::OnStart => { #on_start }
            #(#tasks)*
            #run
            #wait_time
            ::aiotest::__private::Step::OnStop => { #on_stop }
            #[allow(unreachable_patterns, reason = "a class may have all steps")]
            other => {
                return ::core::result::Result::Err(::aiotest::__private::unknown(other));
            }
        }
    }
}

fn wait_time(wait_time: &WaitTime) -> TokenStream {
    let variant = match wait_time {
        WaitTime::None => quote!(None),
        WaitTime::Fixed(wait) => {
            let wait = duration(*wait);
            quote!(Fixed(#wait))
        }
        WaitTime::Between(least, most) => {
            let (least, most) = (duration(*least), duration(*most));
            quote!(Between(#least, #most))
        }
        WaitTime::Pacing(interval) => {
            let interval = duration(*interval);
            quote!(Pacing(#interval))
        }
        WaitTime::Computed(_) => quote!(Computed),
    };
    quote!(::aiotest::__private::WaitTime::#variant)
}

fn execution(execution: Execution) -> TokenStream {
    let variant = match execution {
        Execution::Sequential => quote!(Sequential),
        Execution::Weighted => quote!(Weighted),
        Execution::Concurrent => quote!(Concurrent),
        Execution::OwnLoop => quote!(OwnLoop),
    };
    quote!(::aiotest::__private::Execution::#variant)
}

fn duration(duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(::aiotest::__private::Duration::new(#seconds, #nanos))
}

fn option(value: Option<impl quote::ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

#[cfg(test)]
mod tests;
