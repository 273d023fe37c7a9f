//! The task sets of a class: how `sets(browse(weighted, rounds = 5), …)` declares them, and
//! where they stand among the tasks. Knows nothing of functions.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, Result, Token, parenthesized};

use crate::attributes::{Execution, positive, settings};
use crate::task::tags;

/// A declared set.
pub(crate) struct Set {
    pub(crate) name: Ident,
    /// Sequential or weighted.
    pub(crate) execution: Execution,
    pub(crate) weight: Option<u32>,
    /// Absent for a set that goes on until a task leaves it.
    pub(crate) rounds: Option<u32>,
    pub(crate) tags: Vec<String>,
    /// The set it belongs to.
    pub(crate) parent: Option<Ident>,
}

/// A task or a set, as a part of what it belongs to.
pub(crate) struct Member<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) parent: Option<&'a Ident>,
    pub(crate) weight: Option<u32>,
}

/// One place in the list of the engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) what: What,
    /// Where in the list the set stands that it belongs to.
    pub(crate) parent: Option<usize>,
}

/// By its index among its kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum What {
    Task(usize),
    Set(usize),
}

/// `(name(execution, …), …)`.
pub(crate) fn declared(input: ParseStream<'_>) -> Result<Vec<Set>> {
    if !input.peek(syn::token::Paren) {
        return Err(input.error("sets stand in parentheses: `sets(browse(weighted))`"));
    }
    let list;
    parenthesized!(list in input);
    let sets = Punctuated::<Set, Token![,]>::parse_terminated(&list)?;
    Ok(sets.into_iter().collect())
}

impl Parse for Set {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name: Ident = input.parse()?;
        if !input.peek(syn::token::Paren) {
            return Err(Error::new(name.span(), how(&name)));
        }
        let body;
        parenthesized!(body in input);
        let word: Ident = body
            .parse()
            .map_err(|_| Error::new(name.span(), how(&name)))?;
        let execution = match word.to_string().as_str() {
            "sequential" => Execution::Sequential,
            "weighted" => Execution::Weighted,
            _ => return Err(Error::new(word.span(), how(&name))),
        };
        let mut set = Self {
            name,
            execution,
            weight: None,
            rounds: (execution == Execution::Sequential).then_some(1),
            tags: Vec::new(),
            parent: None,
        };
        if !body.is_empty() {
            body.parse::<Token![,]>()?;
            settings(&body, |name, input| set.set(name, input))?;
        }
        Ok(set)
    }
}

fn how(name: &Ident) -> String {
    format!("say how the tasks run: `{name}(sequential)` or `{name}(weighted)`")
}

impl Set {
    fn set(&mut self, name: &Ident, input: ParseStream<'_>) -> Result<()> {
        input.parse::<Token![=]>()?;
        match name.to_string().as_str() {
            "weight" => self.weight = Some(positive(input)?),
            "rounds" => self.rounds = rounds(input)?,
            "tags" => self.tags = tags(input)?,
            "parent" => self.parent = Some(input.parse()?),
            _ => {
                return Err(Error::new(
                    name.span(),
                    format!("unknown attribute `{name}`: a set has weight, rounds, tags, parent"),
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn member(&self) -> Member<'_> {
        Member {
            name: &self.name,
            parent: self.parent.as_ref(),
            weight: self.weight,
        }
    }
}

/// A number, or `forever`.
fn rounds(input: ParseStream<'_>) -> Result<Option<u32>> {
    if !input.peek(Ident) {
        return positive(input).map(Some);
    }
    let word: Ident = input.parse()?;
    if word == "forever" {
        return Ok(None);
    }
    Err(Error::new(
        word.span(),
        "the rounds are a whole number, or `forever`: until a task leaves the set",
    ))
}

/// Puts each set before its first task, so that it stands among its siblings where that
/// task does, and checks that all belongs together.
pub(crate) fn arrange(sets: &[Set], tasks: &[Member<'_>]) -> Result<Vec<Entry>> {
    unique(sets, tasks)?;
    let find = |member: &Member<'_>| parent(sets, member);
    let members: Vec<_> = sets.iter().map(Set::member).collect();
    let parents = members.iter().map(find).collect::<Result<Vec<_>>>()?;
    acyclic(sets, &parents)?;
    let mut list = Vec::with_capacity(sets.len() + tasks.len());
    let mut places = vec![None; sets.len()];
    for (index, task) in tasks.iter().enumerate() {
        let parent = find(task)?.map(|set| place(set, &parents, &mut places, &mut list));
        let what = What::Task(index);
        list.push(Entry { what, parent });
    }
    match sets.iter().zip(&places).find(|(_, place)| place.is_none()) {
        None => Ok(list),
        Some((Set { name, .. }, _)) => Err(Error::new(
            name.span(),
            format!("no task belongs to the set: put `#[task(set = {name})]` on its tasks"),
        )),
    }
}

/// Where in the list the set stands; it and those around it are added if need be. They
/// contain each other without a circle.
fn place(
    set: usize,
    parents: &[Option<usize>],
    places: &mut [Option<usize>],
    list: &mut Vec<Entry>,
) -> usize {
    if let Some(place) = places[set] {
        return place;
    }
    let parent = parents[set].map(|parent| self::place(parent, parents, places, list));
    let what = What::Set(set);
    list.push(Entry { what, parent });
    *places[set].insert(list.len() - 1)
}

/// Which set a member belongs to, and whether its weight means something there.
fn parent(sets: &[Set], member: &Member<'_>) -> Result<Option<usize>> {
    let Some(name) = member.parent else {
        return Ok(None);
    };
    let Some(index) = sets.iter().position(|set| set.name == *name) else {
        let names: Vec<_> = sets.iter().map(|set| format!("`{}`", set.name)).collect();
        let known = match names.join(", ") {
            none if none.is_empty() => format!("declare it: `#[user(sets({name}(sequential)))]`"),
            known => format!("there are {known}"),
        };
        return Err(Error::new(name.span(), format!("no set `{name}`: {known}")));
    };
    if sets[index].execution == Execution::Sequential && member.weight.is_some() {
        return Err(Error::new(
            member.name.span(),
            format!("a weight means nothing in `{name}(sequential)`: remove one of the two"),
        ));
    }
    Ok(Some(index))
}

fn unique(sets: &[Set], tasks: &[Member<'_>]) -> Result<()> {
    for (index, set) in sets.iter().enumerate() {
        let twin = sets[..index].iter().any(|other| other.name == set.name);
        if twin || tasks.iter().any(|task| *task.name == set.name) {
            return Err(Error::new(
                set.name.span(),
                format!("another task or set is named `{}`", set.name),
            ));
        }
    }
    Ok(())
}

fn acyclic(sets: &[Set], parents: &[Option<usize>]) -> Result<()> {
    for (index, set) in sets.iter().enumerate() {
        let mut above = parents[index];
        // The longest way up passes every set once.
        for _ in sets {
            if let (true, Some(parent)) = (above == Some(index), &set.parent) {
                return Err(Error::new(
                    parent.span(),
                    format!("the set `{}` would contain itself", set.name),
                ));
            }
            above = above.and_then(|set| parents[set]);
        }
    }
    Ok(())
}
