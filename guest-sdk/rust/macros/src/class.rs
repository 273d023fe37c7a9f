//! The functions of a class: which are tasks, which the engine calls for other reasons,
//! and whether they can be called as it does.

use syn::{
    Error, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, Receiver, Result, ReturnType, Type,
    spanned::Spanned,
};

use crate::attributes::{Attributes, Execution, WaitTime};
use crate::sets::{self, Entry, Member};
use crate::task::TaskAttributes;

/// A checked class.
pub(crate) struct Class {
    pub(crate) attributes: Attributes,
    pub(crate) execution: Execution,
    /// The name of the type.
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) tasks: Vec<Task>,
    /// The tasks and the sets, as the engine counts them.
    pub(crate) list: Vec<Entry>,
    pub(crate) on_start: Option<Function>,
    pub(crate) on_stop: Option<Function>,
    pub(crate) run: Option<Function>,
    pub(crate) wait_time: Option<Function>,
}

pub(crate) struct Task {
    pub(crate) function: Function,
    pub(crate) attributes: TaskAttributes,
}

/// A function that the engine calls.
pub(crate) struct Function {
    pub(crate) name: Ident,
    pub(crate) asynchronous: bool,
    /// It takes `&mut self`.
    pub(crate) exclusive: bool,
}

impl Class {
    /// Reads the block, and takes the macro's own attributes out of it.
    pub(crate) fn read(attributes: Attributes, block: &mut ItemImpl) -> Result<Self> {
        let mut class = Self {
            name: type_name(block)?,
            ty: (*block.self_ty).clone(),
            execution: Execution::Sequential,
            attributes,
            tasks: Vec::new(),
            list: Vec::new(),
            on_start: None,
            on_stop: None,
            run: None,
            wait_time: None,
        };
        for item in &mut block.items {
            if let ImplItem::Fn(function) = item {
                class.add(function)?;
            }
        }
        class.execution = class.decide_execution()?;
        class.check(block)?;
        class.list = class.arrange()?;
        Ok(class)
    }

    fn add(&mut self, function: &mut ImplItemFn) -> Result<()> {
        let attributes = TaskAttributes::take(&mut function.attrs)?;
        let name = function.sig.ident.to_string();
        if let ("run", false) = (name.as_str(), self.runs_itself()) {
            return Err(Error::new(
                function.sig.ident.span(),
                "`run` is the scenario's own loop: say `#[user(execution = own_loop)]`, \
                 or give it another name",
            ));
        }
        let slot = match name.as_str() {
            "on_start" => &mut self.on_start,
            "on_stop" => &mut self.on_stop,
            "run" => &mut self.run,
            "wait_time" => {
                self.wait_time = Some(Function::wait_time(function)?);
                return attributes.refuse();
            }
            name if is_task(name) => {
                self.tasks.push(Task {
                    function: Function::step(function)?,
                    attributes,
                });
                return Ok(());
            }
            _ => return attributes.refuse(),
        };
        *slot = Some(Function::step(function)?);
        attributes.refuse()
    }

    fn runs_itself(&self) -> bool {
        matches!(self.attributes.execution, Some((Execution::OwnLoop, _)))
    }

    /// Of what belongs to the class itself.
    fn decide_execution(&self) -> Result<Execution> {
        let tasks = self.tasks.iter().map(Task::member);
        let sets = self.attributes.sets.iter().map(sets::Set::member);
        let weighed = tasks
            .chain(sets)
            .find(|member| member.parent.is_none() && member.weight.is_some());
        match (&self.attributes.execution, weighed) {
            (None, None) => Ok(Execution::Sequential),
            (None, Some(_)) => Ok(Execution::Weighted),
            (Some((Execution::Sequential | Execution::OwnLoop, word)), Some(member)) => {
                Err(Error::new(
                    member.name.span(),
                    format!(
                        "a weight means nothing with `execution = {word}`: remove one of \
                         the two"
                    ),
                ))
            }
            (Some((execution, _)), _) => Ok(*execution),
        }
    }

    fn arrange(&self) -> Result<Vec<Entry>> {
        let sets = &self.attributes.sets;
        match (sets.first(), self.execution) {
            (None, _) | (_, Execution::Sequential | Execution::Weighted) => {}
            (Some(set), _) => {
                return Err(Error::new(
                    set.name.span(),
                    "task sets go with `execution = sequential` or `weighted`",
                ));
            }
        }
        let tasks: Vec<_> = self.tasks.iter().map(Task::member).collect();
        sets::arrange(sets, &tasks)
    }

    fn check(&self, block: &ItemImpl) -> Result<()> {
        let concurrent = self.execution == Execution::Concurrent;
        if let (Some((_, word)), false) = (&self.attributes.max_concurrent_tasks, concurrent) {
            return Err(Error::new(
                word.span(),
                "`max_concurrent_tasks` goes with `execution = concurrent`",
            ));
        }
        match (&self.attributes.wait_time, &self.wait_time) {
            (WaitTime::Computed(word), None) => Err(Error::new(
                word.span(),
                "a computed wait time needs `fn wait_time(&mut self) -> Duration`",
            )),
            (WaitTime::Computed(_), Some(_)) | (_, None) => Ok(()),
            (_, Some(function)) => Err(Error::new(
                function.name.span(),
                "`wait_time` is asked only with `#[user(wait_time = computed)]`",
            )),
        }?;
        if self.runs_itself() {
            return match (&self.run, &self.attributes.execution) {
                (None, Some((_, word))) => Err(Error::new(
                    word.span(),
                    "an own loop needs `async fn run(&mut self) -> Result`",
                )),
                _ => Ok(()),
            };
        }
        if self.tasks.is_empty() {
            return Err(Error::new(
                block.self_ty.span(),
                "a user class needs a task: an async function whose name starts with \
                 `test_` or ends with `_test`",
            ));
        }
        match self.tasks.iter().find(|task| task.function.exclusive) {
            Some(task) if concurrent => Err(Error::new(
                task.function.name.span(),
                "concurrent tasks share the user: take `&self`, and keep what changes in \
                 a `Cell` or `RefCell`",
            )),
            _ => Ok(()),
        }
    }
}

impl Task {
    fn member(&self) -> Member<'_> {
        Member {
            name: &self.function.name,
            parent: self.attributes.set.as_ref(),
            weight: self.attributes.weight,
        }
    }
}

impl Function {
    /// `async fn name(&mut self) -> Result`.
    fn step(function: &ImplItemFn) -> Result<Self> {
        let name = &function.sig.ident;
        if function.sig.asyncness.is_none() {
            return Err(Error::new(
                name.span(),
                format!("the engine awaits `{name}`: make it an `async fn`"),
            ));
        }
        if let ReturnType::Default = function.sig.output {
            return Err(Error::new(
                name.span(),
                format!("`{name}` may fail: let it return `Result`, and end with `Ok(())`"),
            ));
        }
        Self::called(function)
    }

    /// `fn wait_time(&mut self) -> Duration`, async or not.
    fn wait_time(function: &ImplItemFn) -> Result<Self> {
        if let ReturnType::Default = function.sig.output {
            return Err(Error::new(
                function.sig.ident.span(),
                "`wait_time` returns how long to wait: `-> Duration`",
            ));
        }
        Self::called(function)
    }

    fn called(function: &ImplItemFn) -> Result<Self> {
        let signature = &function.sig;
        let name = &signature.ident;
        if !signature.generics.params.is_empty() {
            return Err(Error::new(
                signature.generics.span(),
                format!("the engine calls `{name}`, so it cannot be generic"),
            ));
        }
        let exclusive = match signature.inputs.first() {
            Some(FnArg::Receiver(Receiver {
                reference: Some(_),
                mutability,
                ..
            })) if signature.inputs.len() == 1 => mutability.is_some(),
            _ => {
                return Err(Error::new(
                    name.span(),
                    format!("the engine calls `{name}` with the user alone: `(&mut self)`"),
                ));
            }
        };
        Ok(Self {
            name: name.clone(),
            asynchronous: signature.asyncness.is_some(),
            exclusive,
        })
    }
}

fn is_task(name: &str) -> bool {
    name.starts_with("test_") || name.ends_with("_test")
}

fn type_name(block: &ItemImpl) -> Result<String> {
    if let Some((_, path, _)) = &block.trait_ {
        return Err(Error::new(
            path.span(),
            "#[user] goes on the class's own `impl` block, not on that of a trait",
        ));
    }
    if !block.generics.params.is_empty() {
        return Err(Error::new(
            block.generics.span(),
            "a user class cannot be generic: the engine makes its users",
        ));
    }
    match &*block.self_ty {
        Type::Path(path) if path.qself.is_none() => match path.path.segments.last() {
            Some(segment) => Ok(segment.ident.to_string()),
            None => Err(Error::new(path.span(), "a user class is a struct")),
        },
        other => Err(Error::new(other.span(), "a user class is a struct")),
    }
}
