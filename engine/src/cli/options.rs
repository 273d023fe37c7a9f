//! What the flags of `run` mean together, be they on the command line or in the run file:
//! a `RunConfig`.

mod entry;
mod flags;
mod given;
mod keys;
mod line;
mod load;
mod origin;
mod run_file;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use super::scenario;
use crate::config::{ClassSettings, Http, Limits, Outputs, Plan, Push, RunConfig};
use crate::wasm::component::{Convention, Outline};
use crate::wasm::source::Source;
use flags::{ClassArgs, Flags};
use load::{PlanArgs, Shape};
use origin::{Origins, at};
use run_file::Document;

pub(super) use given::GivenArgs;
pub(super) use line::RunLine;
use values::push_url;
pub(super) use values::{Hidden, check_base_url, size};

/// Where the control token is when it is not on the command line.
const TOKEN_VARIABLE: &str = "AIOTEST_CONTROL_TOKEN";
/// The plan of runs without plans of their own.
const ONLY_PLAN: &str = "default";

/// Everything that was asked for, on the command line and in the run file.
#[derive(Debug)]
pub(super) struct RunArgs {
    /// The component or script.
    pub(super) file: PathBuf,
    flags: Flags,
    plans: Vec<NamedPlan>,
    class_settings: BTreeMap<String, ClassSettings>,
    /// Where the run file has them.
    class_places: BTreeMap<String, String>,
    origins: Origins,
}

#[derive(Debug)]
struct NamedPlan {
    name: String,
    args: PlanArgs,
    origins: Origins,
}

impl RunArgs {
    fn new(mut flags: Flags, origins: Origins) -> Result<Self> {
        let file = flags.file.take().or_else(scenario::usual).context(
            "no scenario: name a component or a script, or call the script aiotestfile.py or \
             locustfile.py",
        )?;
        flags.scenario.given.settle(&origins);
        Ok(RunArgs {
            file: match origins.is_of_file("file") {
                true => origins.beside(&file),
                false => file,
            },
            flags,
            plans: Vec::new(),
            class_settings: BTreeMap::new(),
            class_places: BTreeMap::new(),
            origins,
        })
    }

    /// Takes the plans of the run file. Each class is in one of them.
    fn take_plans(&mut self, file: &Document) -> Result<()> {
        let mut owners: BTreeMap<String, String> = BTreeMap::new();
        for section in &file.plans {
            let mut origins = Origins::of(&file.path);
            section.entries.iter().for_each(|entry| origins.add(entry));
            let mut args: PlanArgs = section.parse()?;
            let only = file.plans.len() == 1;
            if args.classes.is_empty() && only {
                args.classes = std::mem::take(&mut self.flags.classes);
            } else if args.classes.is_empty() {
                let what = format!(
                    "plans.{}: names no classes; with several plans each needs its own",
                    section.name
                );
                bail!(at(&file.path, section.line, what));
            }
            for class in &args.classes {
                if let Some(owner) = owners.insert(class.clone(), section.name.clone()) {
                    bail!(
                        "{}: class '{class}' is in plan '{owner}' already",
                        origins.name("classes")
                    );
                }
            }
            self.plans.push(NamedPlan {
                name: section.name.clone(),
                args,
                origins,
            });
        }
        if self.plans.is_empty() || self.flags.classes.is_empty() {
            return Ok(());
        }
        match self.origins.is_of_file("classes") {
            true => bail!(
                "{}: the plans say which classes run; write them there",
                self.origins.name("classes")
            ),
            false => bail!(
                "class '{}': the plans of {} say which classes run; name none on the command line",
                self.flags.classes[0],
                file.path.display()
            ),
        }
    }

    fn take_class_settings(&mut self, file: &Document) -> Result<()> {
        for section in &file.classes {
            let args: ClassArgs = section.parse()?;
            let settings = ClassSettings {
                weight: args.weight,
                host: args.host,
                pacing: args.pacing,
                throughput: args.throughput,
            };
            self.class_settings.insert(section.name.clone(), settings);
            let place = at(&file.path, section.line, format!("class.{}", section.name));
            self.class_places.insert(section.name.clone(), place);
        }
        Ok(())
    }

    /// Reads the scenario.
    ///
    /// # Errors
    ///
    /// When it cannot be used.
    pub(super) fn open(&self) -> Result<Source> {
        let python_path = &self.flags.scenario.given.python_path;
        scenario::open(&self.file, python_path, self.flags.results.quiet)
    }

    /// What the flags mean for this component. Reads the secrets.
    ///
    /// # Errors
    ///
    /// When flags do not go together or not with the component, or a secret cannot be read.
    pub(super) fn validate(&self, outline: &Outline) -> Result<RunConfig> {
        self.validate_with(outline, |name| std::env::var(name).ok())
    }

    fn validate_with(
        &self,
        outline: &Outline,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<RunConfig> {
        self.check_sandboxes(outline)?;
        self.check_http()?;
        self.check_files()?;
        let given = &self.flags.scenario.given;
        let secrets = given.secrets(&self.origins, &env)?;
        let folders = given.grants(&self.origins);
        let control_token = self.control_token(&env)?;
        let push = self.push()?;
        let class_places = self.class_places();
        let plans = self.plans(outline.shape)?;
        let flags = self.flags.clone();
        Ok(RunConfig {
            file: self.file.clone(),
            classes: flags.classes,
            class_settings: self.class_settings.clone(),
            class_places,
            host: flags.host,
            tags: flags.scenario.tags,
            exclude_tags: flags.scenario.exclude_tags,
            plans,
            pacing: flags.course.pacing,
            max_requests: flags.course.max_requests,
            paused: flags.course.paused,
            stop_timeout: flags.course.stop_timeout,
            options: flags.scenario.given.options.into_iter().collect(),
            secrets,
            data: flags.scenario.given.data,
            folders,
            thresholds: flags.course.thresholds,
            users_per_sandbox: flags.sandbox.users_per_sandbox,
            limits: Limits {
                memory: usize::try_from(flags.sandbox.memory_limit).context("--memory-limit")?,
                cpu: flags.sandbox.cpu_limit,
                ..Limits::default()
            },
            max_names: flags.results.max_names,
            http: Http {
                allow_hosts: flags.http.allow_hosts,
                insecure: flags.http.insecure,
                http2_prior_knowledge: flags.http.http2_prior_knowledge,
                max_body: flags.http.max_body,
                timeout: flags.http.timeout,
            },
            outputs: Outputs {
                prometheus: flags.control.prometheus,
                control_token,
                linger: flags.control.linger,
                buckets: flags.control.prometheus_buckets,
                web: flags.control.web,
                json: flags.results.json,
                html: flags.results.html,
                csv: flags.results.csv,
                junit: flags.results.junit,
                samples: flags.results.samples,
                push,
                labels: flags.results.labels.into_iter().collect(),
                no_tui: flags.results.no_tui,
                quiet: flags.results.quiet,
                verbose: flags.results.verbose,
            },
            skip_preflight: flags.course.skip_preflight,
            exit_code_on_error: flags.course.exit_code_on_error,
        })
    }

    /// The plans of the run file, or one that the flags make, for a component with a load
    /// shape or without one.
    ///
    /// # Errors
    ///
    /// When flags or keys do not go together.
    pub(super) fn plans(&self, has_shape: bool) -> Result<Vec<Plan>> {
        let load = self.flags.load.clone();
        if self.plans.is_empty() {
            let shape = match has_shape {
                true => Shape::ByDefault,
                false => Shape::No,
            };
            return Ok(vec![load.plan(ONLY_PLAN, shape, &self.origins)?]);
        }
        let mut plans = Vec::new();
        let mut shaped = None;
        for NamedPlan {
            name,
            args,
            origins,
        } in &self.plans
        {
            if args.shape && !has_shape {
                bail!("{}: the component has no load shape", origins.name("shape"));
            }
            if let (true, Some(other)) = (args.shape, &shaped) {
                bail!(
                    "{}: plan '{other}' follows the load shape already, and there is one only",
                    origins.name("shape")
                );
            }
            let shape = match args.shape {
                true => Shape::Wanted,
                false => Shape::No,
            };
            let plan = Plan {
                classes: args.classes.clone(),
                start: args.start.unwrap_or_default(),
                ..args.load.clone().plan(name, shape, origins)?
            };
            if args.shape {
                shaped = Some(name);
            }
            plans.push(plan);
        }
        match load.run_time {
            Some(limit) => within(plans, limit, &self.origins.name("run-time")),
            None => Ok(plans),
        }
    }

    /// Where classes were named, the most general place first.
    fn class_places(&self) -> BTreeMap<String, String> {
        let mut places = self.class_places.clone();
        let of_run = (&self.origins, &self.flags.classes);
        let of_plans = self
            .plans
            .iter()
            .map(|plan| (&plan.origins, &plan.args.classes));
        for (origins, classes) in of_plans.chain([of_run]) {
            if origins.is_of_file("classes") {
                let place = |class: &String| (class.clone(), origins.name("classes"));
                places.extend(classes.iter().map(place));
            }
        }
        places
    }

    fn check_sandboxes(&self, outline: &Outline) -> Result<()> {
        let sandbox = &self.flags.sandbox;
        if let Some(users @ 2..) = sandbox.users_per_sandbox
            && outline.convention == Convention::Blocking
        {
            bail!(
                "{} {users}: the component uses the blocking convention, which has one user a \
                 sandbox; build it with the SDK's `concurrent` feature",
                self.origins.name("users-per-sandbox")
            );
        }
        let memory = self.origins.name("memory-limit");
        if sandbox.memory_limit > 4 << 30 {
            bail!("{memory}: a sandbox has 4GiB at most");
        }
        if sandbox.memory_limit < 64 << 10 {
            bail!("{memory}: a sandbox needs 64KiB at least, and usually 2MiB");
        }
        Ok(())
    }

    /// Checks what is about the endpoint for metrics and control.
    fn check_http(&self) -> Result<()> {
        let control = &self.flags.control;
        let buckets = &control.prometheus_buckets;
        if buckets.windows(2).any(|pair| pair[0] >= pair[1]) {
            bail!(
                "{}: the bounds have to rise",
                self.origins.name("prometheus-buckets")
            );
        }
        let needing = [
            ("prometheus-buckets", !buckets.is_empty()),
            ("control-token", control.control_token.is_some()),
            ("linger", control.linger),
        ];
        let needy = needing.iter().find(|(_, given)| *given);
        if let (None, Some((flag, _))) = (control.prometheus.or(control.web), needy) {
            bail!(
                "{}: there is no HTTP endpoint; give it an address with --prometheus or --web",
                self.origins.name(flag)
            );
        }
        Ok(())
    }

    /// A dashboard that others reach and that shows nothing to anybody would be a riddle.
    fn check_open(&self) -> Result<()> {
        let web = self.flags.control.web;
        if web.is_some_and(|address| !address.ip().to_canonical().is_loopback()) {
            bail!(
                "{}: where others reach it, the dashboard needs --control-token or \
                 {TOKEN_VARIABLE}; without one, give it a loopback address such as \
                 127.0.0.1:8090",
                self.origins.name("web")
            );
        }
        Ok(())
    }

    /// Where metrics are pushed. The headers are never part of an error.
    fn push(&self) -> Result<Push> {
        let push = &self.flags.push;
        let header = |Hidden(text): &Hidden| {
            let (name, value) = text.split_once(':').with_context(|| {
                let flag = self.origins.name("push-header");
                format!("{flag}: not 'NAME: VALUE'")
            })?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        };
        let headers: Vec<_> = push
            .push_headers
            .iter()
            .map(header)
            .collect::<Result<_>>()?;
        if push.remote_write.is_none() && push.otlp.is_none() && !headers.is_empty() {
            bail!(
                "{}: nothing is pushed; say where with --remote-write or --otlp",
                self.origins.name("push-header")
            );
        }
        // The text may hold a password or a key, and is not repeated.
        let place = |flag: &str, url: &Option<Hidden>| {
            let parsed = url.as_ref().map(|Hidden(text)| push_url(text)).transpose();
            parsed.map_err(|why| anyhow!("{}: {why}", self.origins.name(flag)))
        };
        Ok(Push {
            remote_write: place("remote-write", &push.remote_write)?,
            otlp: place("otlp", &push.otlp)?,
            headers,
            interval: push.push_interval,
        })
    }

    /// No file is written over another.
    fn check_files(&self) -> Result<()> {
        let results = &self.flags.results;
        let files = [
            ("json", &results.json),
            ("html", &results.html),
            ("junit", &results.junit),
            ("samples", &results.samples),
        ];
        let mut taken = BTreeMap::new();
        for (flag, file) in files {
            let Some(file) = file else { continue };
            if let Some(other) = taken.insert(file, flag)
                && !file.starts_with("/dev")
            {
                bail!(
                    "{} and {}: both would write {}; choose another place for one of them",
                    self.origins.name(other),
                    self.origins.name(flag),
                    file.display()
                );
            }
        }
        Ok(())
    }

    /// The token that control takes. It is never part of an error.
    fn control_token(&self, env: impl Fn(&str) -> Option<String>) -> Result<Option<String>> {
        let control = &self.flags.control;
        if control.prometheus.or(control.web).is_none() {
            return Ok(None);
        }
        let (token, name) = match &control.control_token {
            Some(token) => (token.0.clone(), self.origins.name("control-token")),
            None => match env(TOKEN_VARIABLE) {
                Some(token) => (token, TOKEN_VARIABLE.to_owned()),
                None => return self.check_open().map(|()| None),
            },
        };
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!(
                "{name}: a token has one or more ASCII characters and no spaces, as it is sent \
                 in a header"
            );
        }
        Ok(Some(token))
    }
}

/// Plans that end with the run. Those that would begin later are left out.
fn within(mut plans: Vec<Plan>, limit: Duration, flag: &str) -> Result<Vec<Plan>> {
    plans.retain(|plan| plan.start < limit);
    if plans.is_empty() {
        bail!("{flag}: every plan begins later");
    }
    for plan in &mut plans {
        let left = limit - plan.start;
        plan.run_time = Some(plan.run_time.map_or(left, |own| own.min(left)));
    }
    Ok(plans)
}
