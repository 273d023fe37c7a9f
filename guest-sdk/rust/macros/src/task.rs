//! The attributes of a task: `#[task(weight = 3, tags = ["read"], set = browse)]`, and
//! `#[weight(3)]` for short. Knows nothing of the function below them.

use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Ident, LitStr, Meta, Result, Token, bracketed, spanned::Spanned};

use crate::attributes::{positive, settings};

/// What was said of a function.
#[derive(Default)]
pub(crate) struct TaskAttributes {
    pub(crate) weight: Option<u32>,
    pub(crate) tags: Vec<String>,
    /// The set it belongs to.
    pub(crate) set: Option<Ident>,
    /// The first of the attributes, for complaints.
    said: Option<Attribute>,
}

impl TaskAttributes {
    /// Takes the macro's own attributes off a function.
    pub(crate) fn take(attributes: &mut Vec<Attribute>) -> Result<Self> {
        let mut taken = Self::default();
        let mut others = Vec::with_capacity(attributes.len());
        for attribute in attributes.drain(..) {
            let path = attribute.path();
            if path.is_ident("weight") {
                let weight = attribute.parse_args_with(positive)?;
                taken.weigh(weight, &attribute)?;
            } else if path.is_ident("task") {
                taken.read(&attribute)?;
            } else {
                others.push(attribute);
                continue;
            }
            taken.said.get_or_insert(attribute);
        }
        *attributes = others;
        Ok(taken)
    }

    /// `#[task]` or `#[task(…)]`.
    fn read(&mut self, attribute: &Attribute) -> Result<()> {
        if let Meta::Path(_) = attribute.meta {
            return Ok(());
        }
        attribute.parse_args_with(|input: ParseStream<'_>| {
            settings(input, |name, input| {
                input.parse::<Token![=]>()?;
                match name.to_string().as_str() {
                    "weight" => self.weigh(positive(input)?, name)?,
                    "tags" => self.tags.extend(tags(input)?),
                    "set" => self.join(input.parse()?)?,
                    _ => {
                        return Err(Error::new(
                            name.span(),
                            format!("unknown attribute `{name}`: a task has weight, tags, set"),
                        ));
                    }
                }
                Ok(())
            })
        })
    }

    fn weigh(&mut self, weight: u32, place: &impl Spanned) -> Result<()> {
        match self.weight.replace(weight) {
            None => Ok(()),
            Some(_) => Err(Error::new(place.span(), "the weight is said twice")),
        }
    }

    fn join(&mut self, set: Ident) -> Result<()> {
        if self.set.is_some() {
            return Err(Error::new(set.span(), "a task belongs to one set"));
        }
        self.set = Some(set);
        Ok(())
    }

    /// Of a function that is no task.
    pub(crate) fn refuse(&self) -> Result<()> {
        match &self.said {
            None => Ok(()),
            Some(attribute) => Err(Error::new(
                attribute.span(),
                "only tasks have a weight, tags or a set; their names start with `test_` \
                 or end with `_test`",
            )),
        }
    }
}

/// `["read", "slow"]`, words as `--tags` takes them.
pub(crate) fn tags(input: ParseStream<'_>) -> Result<Vec<String>> {
    if !input.peek(syn::token::Bracket) {
        return Err(input.error("tags are texts in brackets: `tags = [\"read\", \"slow\"]`"));
    }
    let list;
    bracketed!(list in input);
    let texts = Punctuated::<LitStr, Token![,]>::parse_terminated(&list)?;
    texts.iter().map(tag).collect()
}

fn tag(text: &LitStr) -> Result<String> {
    let tag = text.value();
    let separates = |c: char| c == ',' || c.is_whitespace() || c.is_control();
    if tag.is_empty() || tag.contains(separates) {
        return Err(Error::new(
            text.span(),
            "a tag is a word: no blanks and no commas, which separate those of `--tags`",
        ));
    }
    Ok(tag)
}
