//! The macro that makes a component of user classes.

/// Makes a component of user classes and, as one likes, more. A component has exactly one.
///
/// | part | what it is |
/// |---|---|
/// | `shape = …` | a [`LoadShape`](crate::LoadShape): how many users there are |
/// | `hooks = …` | [`Hooks`](crate::Hooks): before and after the run |
/// | `events = …` | [`Events`](crate::events::Events): what is told of the run |
/// | `thresholds = ["…"]` | conditions on the results, as `--threshold` takes them |
///
/// ```
/// use aiotest::prelude::*;
///
/// #[derive(Default)]
/// struct Visitor {
///     client: Client,
/// }
///
/// #[user]
/// impl Visitor {
///     async fn test_home(&mut self) -> Result {
///         self.client.get("/").send().await?;
///         Ok(())
///     }
/// }
///
/// struct TenUsers;
///
/// impl LoadShape for TenUsers {
///     fn tick(&mut self, run_time: Duration) -> Option<Target> {
///         let target = Target { users: 10, spawn_rate: 5.0 };
///         (run_time < Duration::from_secs(60)).then_some(target)
///     }
/// }
///
/// struct Announce;
///
/// impl Hooks for Announce {
///     async fn on_test_start(&mut self) -> Result {
///         info!("here we go");
///         Ok(())
///     }
/// }
///
/// scenario!(
///     Visitor;
///     shape = TenUsers,
///     hooks = Announce,
///     events = Events::new().on_user_error(|error| warn!("{} failed", error.task)),
///     thresholds = ["http_req_duration: p(95)<500ms", "failures: rate<1%"],
/// );
/// ```
#[macro_export]
macro_rules! scenario {
    ($($class:ty),+ $(,)? $(; $($key:ident = $value:expr),+ $(,)?)?) => {
        const _: () = {
            struct Collected;

            impl $crate::__private::Scenario for Collected {
                const CLASSES: &'static [$crate::__private::Class] =
                    &[$(<$class as $crate::__private::User>::CLASS),+];
                const THRESHOLDS: &'static [&'static str] =
                    $crate::__scenario_thresholds!($($($key = $value),+)?);
            }

            ::core::assert!(
                $crate::__private::distinct(
                    <Collected as $crate::__private::Scenario>::CLASSES
                ),
                "two user classes have the same name: rename one",
            );

            type Component = $crate::__private::Component<Collected>;

            #[cfg(target_family = "wasm")]
            $crate::__private::bindings::export!(
                Component with_types_in $crate::__private::bindings
            );

            $($($crate::__scenario_part!(Component, Collected, $key = $value);)+)?
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __scenario_part {
    ($component:ident, $scenario:ident, shape = $shape:expr) => {
        impl $crate::__private::Shaped for $scenario {
            fn shape() -> ::std::boxed::Box<dyn $crate::LoadShape> {
                ::std::boxed::Box::new($shape)
            }
        }

        #[cfg(target_family = "wasm")]
        $crate::__private::bindings::shaped::export!(
            $component with_types_in $crate::__private::bindings::shaped
        );
    };
    ($component:ident, $scenario:ident, hooks = $hooks:expr) => {
        impl $crate::__private::Hooked for $scenario {
            fn hooks() -> $crate::__private::Rc<dyn $crate::__private::AnyHooks> {
                $crate::__private::erase($hooks)
            }
        }

        #[cfg(target_family = "wasm")]
        $crate::__private::bindings::hooked::export!(
            $component with_types_in $crate::__private::bindings::hooked
        );
    };
    ($component:ident, $scenario:ident, events = $events:expr) => {
        impl $crate::__private::Observed for $scenario {
            fn events() -> $crate::events::Events {
                $events
            }
        }

        #[cfg(target_family = "wasm")]
        $crate::__private::bindings::observed::export!(
            $component with_types_in $crate::__private::bindings::observed
        );
    };
    ($component:ident, $scenario:ident, thresholds = $thresholds:expr) => {
        // A second list would be left out, which nobody would notice.
        impl $crate::__private::Judged for $scenario {}
    };
    ($component:ident, $scenario:ident, $other:ident = $value:expr) => {
        ::core::compile_error!(::core::concat!(
            "unknown part `",
            ::core::stringify!($other),
            "`: a scenario has `shape`, `hooks`, `events` and `thresholds`"
        ));
    };
}

/// The value of `thresholds` among the parts, or none.
#[doc(hidden)]
#[macro_export]
macro_rules! __scenario_thresholds {
    () => { &[] };
    (thresholds = $thresholds:expr $(, $key:ident = $value:expr)*) => { &$thresholds };
    ($other:ident = $ignored:expr $(, $key:ident = $value:expr)*) => {
        $crate::__scenario_thresholds!($($key = $value),*)
    };
}
