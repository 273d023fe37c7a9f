//! From a checked class to the code that stands for it.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, ItemImpl, Result};

use crate::attributes::{Attributes, Execution, WaitTime};
use crate::class::{Class, Function};

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
    let tasks = class.tasks.iter().map(|task| {
        let name = task.function.name.to_string();
        let weight = task.weight.unwrap_or(1);
        quote!(::aiotest::__private::Task { name: #name, weight: #weight })
    });
    quote! {
        ::aiotest::__private::Class {
            name: #name,
            weight: #weight,
            host: #host,
            wait_time: #wait_time,
            execution: #execution,
            max_concurrent_tasks: #most,
            tasks: &[#(#tasks),*],
            session: || #session,
            create: ::aiotest::__private::create::<Self>,
        }
    }
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
    let tasks = (0u32..).zip(&class.tasks).map(|(index, task)| {
        let call = calls(&task.function);
        quote!(::aiotest::__private::Step::Task(#index) => { #call?; })
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
mod tests {
    use super::*;

    const TASK: &str = "async fn test_a(&mut self) -> Result { Ok(()) }";

    /// What the compiler says about a class, and about which part of its text.
    fn complaint(attributes: &str, block: &str) -> (String, String) {
        let parse = |text: &str| text.parse::<TokenStream>().unwrap();
        let error = match user(parse(attributes), parse(block)) {
            Ok(_) => panic!("accepted: #[user({attributes})] {block}"),
            Err(error) => error,
        };
        let place = error.span().source_text().unwrap_or_default();
        (error.to_string(), place)
    }

    #[track_caller]
    fn assert_complains(attributes: &str, functions: &str, place: &str, about: &str) {
        let (message, at) = complaint(attributes, &format!("impl Cart {{ {functions} }}"));
        assert!(message.contains(about), "{message}");
        assert_eq!(at, place, "{message}");
    }

    #[test]
    fn attributes_are_checked() {
        for (attributes, place, about) in [
            (
                "wait = 1",
                "wait",
                "unknown attribute `wait`: a user class has weight",
            ),
            ("weight = 1, weight = 2", "weight", "said twice"),
            ("weight = 1.5", "1.5", "a whole number"),
            ("weight = \"1\"", "\"1\"", "a whole number"),
            (
                "host = \"example.org\"",
                "\"example.org\"",
                "http:// or https://",
            ),
            (
                "wait_time = soon",
                "soon",
                "a wait time is a number of seconds",
            ),
            (
                "wait_time = (3, 1)",
                "(3, 1)",
                "the longer wait comes second",
            ),
            ("wait_time = (3,)", "(3,)", "two numbers of seconds"),
            ("wait_time = pacing(0)", "pacing", "above 0"),
            ("weight = -1", "-1", "a whole number"),
            ("wait_time = -1", "-1", "a number of seconds"),
            ("timeout = 1e12", "1e12", "longer than any run"),
            ("execution = random", "random", "`sequential`, `weighted`"),
            ("max_concurrent_tasks = 0", "0", "at least 1"),
            (
                "max_concurrent_tasks = 2",
                "max_concurrent_tasks",
                "goes with `execution = concurrent`",
            ),
        ] {
            assert_complains(attributes, TASK, place, about);
        }
    }

    #[test]
    fn what_the_attributes_promise_must_be_there() {
        assert_complains("execution = own_loop", TASK, "own_loop", "async fn run");
        assert_complains("wait_time = computed", TASK, "computed", "fn wait_time");
        assert_complains(
            "",
            "fn wait_time(&mut self) -> Duration { todo() }",
            "wait_time",
            "wait_time = computed",
        );
        assert_complains(
            "",
            "async fn run(&mut self) -> Result { Ok(()) }",
            "run",
            "execution = own_loop",
        );
    }

    #[test]
    fn functions_are_checked() {
        for (functions, place, about) in [
            ("fn helper(&self) {}", "Cart", "needs a task"),
            (
                "fn test_a(&mut self) -> Result { Ok(()) }",
                "test_a",
                "`async fn`",
            ),
            (
                "fn on_start(&mut self) -> Result { Ok(()) }",
                "on_start",
                "`async fn`",
            ),
            ("async fn test_a(&mut self) {}", "test_a", "return `Result`"),
            (
                "async fn test_a() -> Result { Ok(()) }",
                "test_a",
                "`(&mut self)`",
            ),
            (
                "async fn test_a(self) -> Result { Ok(()) }",
                "test_a",
                "`(&mut self)`",
            ),
            (
                "async fn a_test(&self, n: u32) -> Result { Ok(()) }",
                "a_test",
                "with the user alone",
            ),
            (
                "async fn test_a<T>(&self) -> Result { Ok(()) }",
                "<T>",
                "cannot be generic",
            ),
            (
                "#[weight(0)] async fn test_a(&self) -> Result {}",
                "0",
                "at least 1",
            ),
            (
                "#[weight(1)] fn helper(&self) {}",
                "#[weight(1)]",
                "only tasks",
            ),
        ] {
            assert_complains("", functions, place, about);
        }
        assert_complains(
            "execution = sequential",
            "#[weight(2)] async fn test_a(&self) -> Result {}",
            "test_a",
            "means nothing with `execution = sequential`",
        );
    }

    #[test]
    fn only_a_plain_impl_block_is_a_class() {
        for (block, place, about) in [
            ("struct Cart;", "struct", "on the `impl` block"),
            (
                "impl Default for Cart {}",
                "Default",
                "not on that of a trait",
            ),
            ("impl<T> Cart<T> {}", "<T>", "cannot be generic"),
            ("impl (u8, u8) {}", "(u8, u8)", "is a struct"),
        ] {
            let (message, at) = complaint("", block);
            assert!(message.contains(about), "{message}");
            assert_eq!(at, place, "{message}");
        }
    }

    #[cfg(not(feature = "concurrent"))]
    #[test]
    fn concurrent_tasks_need_the_feature() {
        assert_complains(
            "execution = concurrent",
            TASK,
            "concurrent",
            "features = [\"concurrent\"]",
        );
    }

    #[cfg(feature = "concurrent")]
    #[test]
    fn concurrent_tasks_share_the_user() {
        assert_complains("execution = concurrent", TASK, "test_a", "take `&self`");
    }
}
