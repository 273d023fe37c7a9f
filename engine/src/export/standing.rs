//! What there is to say about pushes: once when they fail, once when they are taken again,
//! and at the end if it ends badly. Pure.

/// How the pushes to a place have gone.
#[derive(Debug)]
pub(super) struct Standing {
    place: String,
    pushes: u64,
    failures: u64,
    /// Failures in a row, and why the last one failed.
    trouble: Option<(u64, String)>,
    remarked: bool,
}

impl Standing {
    pub(super) fn new(place: &str) -> Self {
        Self {
            place: place.to_owned(),
            pushes: 0,
            failures: 0,
            trouble: None,
            remarked: false,
        }
    }

    /// Takes note of a push. What there is to say about it.
    pub(super) fn note(&mut self, result: Result<(), String>) -> Option<String> {
        self.pushes += 1;
        let place = &self.place;
        match (result, &mut self.trouble) {
            (Ok(()), trouble) => {
                let (failures, _) = trouble.take()?;
                Some(format!(
                    "{place} takes measurements again, after {failures} that did not arrive"
                ))
            }
            (Err(reason), Some(trouble)) => {
                self.failures += 1;
                *trouble = (trouble.0 + 1, reason);
                None
            }
            (Err(reason), trouble) => {
                self.failures += 1;
                let notice = format!(
                    "cannot push to {place}: {reason}; the run goes on, and so do the attempts"
                );
                *trouble = Some((1, reason));
                Some(notice)
            }
        }
    }

    /// Something that the server says about pushes it takes: told once.
    pub(super) fn remark(&mut self, remark: &str) -> Option<String> {
        let first = !std::mem::replace(&mut self.remarked, true);
        first.then(|| format!("{} does not take everything: {remark}", self.place))
    }

    /// What there is to say at the end. `last` is what became of the last push.
    pub(super) fn conclude(&mut self, last: Result<(), String>) -> Option<String> {
        self.pushes += 1;
        let (place, pushes) = (&self.place, self.pushes);
        match last {
            Ok(()) if self.trouble.is_some() => Some(format!(
                "{place} takes measurements again; the last ones have arrived"
            )),
            Ok(()) => None,
            Err(reason) => {
                let failures = self.failures + 1;
                Some(format!(
                    "the last measurements did not arrive at {place}: {reason} ({failures} of \
                     {pushes} pushes failed)"
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(reason: &str) -> Result<(), String> {
        Err(reason.to_owned())
    }

    #[test]
    fn trouble_is_told_once_and_so_is_its_end() {
        let mut standing = Standing::new("P");
        assert_eq!(standing.note(Ok(())), None);
        let first = standing.note(bad("no route")).unwrap();
        assert!(first.starts_with("cannot push to P: no route;"), "{first}");
        assert_eq!(standing.note(bad("no route")), None);
        assert_eq!(
            standing.note(Ok(())).unwrap(),
            "P takes measurements again, after 2 that did not arrive"
        );
        assert_eq!(standing.note(Ok(())), None);
        assert!(standing.note(bad("no route")).is_some());
    }

    #[test]
    fn the_end_is_told_if_it_is_no_good_one() {
        assert_eq!(Standing::new("P").conclude(Ok(())), None);
        let mut standing = Standing::new("P");
        standing.note(Ok(()));
        standing.note(bad("no route"));
        assert_eq!(
            standing.conclude(bad("no answer")).unwrap(),
            "the last measurements did not arrive at P: no answer (2 of 3 pushes failed)"
        );
        let recovered = standing.conclude(Ok(())).unwrap();
        assert!(
            recovered.contains("the last ones have arrived"),
            "{recovered}"
        );
    }

    #[test]
    fn remarks_are_told_once() {
        let mut standing = Standing::new("P");
        let told = [standing.remark("too old"), standing.remark("too new")];
        assert_eq!(
            told,
            [Some("P does not take everything: too old".into()), None]
        );
    }
}
