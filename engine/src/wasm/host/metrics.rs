//! `metrics`: what a scenario measures by itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::component::Resource;

use super::{Host, Member, clip};
use crate::sample::{Failure, Sample, Sink, Timings};
use crate::wasm::bindings::metrics as wit;

/// The longest name of a group with all those around it, in bytes.
const MAX_GROUP: usize = 100;

/// A group that a user is in.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Group {
    member: Arc<Member>,
    name: Arc<str>,
    since: Instant,
}

impl Group {
    fn enter(member: &Arc<Member>, name: &str) -> Self {
        // What separates tags and the parts of a name is not for names.
        let name = name.replace(|c: char| c == ',' || c.is_control(), " ");
        let mut groups = member.groups.lock();
        let mut path = match groups.last() {
            Some(outer) => format!("{outer}::{name}"),
            None => name,
        };
        path.truncate(path.floor_char_boundary(MAX_GROUP));
        let name: Arc<str> = path.into();
        groups.push(name.clone());
        member.grouped.store(true, Ordering::Relaxed);
        drop(groups);
        Group {
            member: member.clone(),
            name,
            since: Instant::now(),
        }
    }

    /// Groups may end in any order.
    fn leave(&self) {
        let mut groups = self.member.groups.lock();
        if let Some(at) = groups
            .iter()
            .rposition(|group| Arc::ptr_eq(group, &self.name))
        {
            groups.remove(at);
        }
    }
}

fn no_user(user: u64) -> wasmtime::Error {
    wasmtime::format_err!("there is no user {user} in this sandbox")
}

impl wit::Host for Host {
    fn record(&mut self, user: u64, sample: wit::Sample) -> wasmtime::Result<()> {
        let Some(member) = self.members.get(&user) else {
            return Err(no_user(user));
        };
        let error = sample.error.map(clip);
        let tags = member.group().map(|group| format!("group={group}"));
        member.record(&Sample {
            method: &clip(sample.protocol),
            name: &clip(sample.name),
            tags: tags.as_deref().unwrap_or_default(),
            status: 0,
            failure: error.as_deref().map(|message| Failure {
                kind: "scenario",
                message,
            }),
            timings: Timings {
                total: Duration::from_nanos(sample.duration),
                ..Timings::default()
            },
            sent: 0,
            received: sample.size,
            late: None,
        });
        Ok(())
    }

    fn count(&mut self, name: String, value: f64) -> wasmtime::Result<()> {
        self.run.metrics.count(&clip(name), value);
        Ok(())
    }

    fn gauge(&mut self, name: String, value: f64) -> wasmtime::Result<()> {
        self.run.metrics.gauge(&clip(name), value);
        Ok(())
    }

    fn trend(&mut self, name: String, value: f64) -> wasmtime::Result<()> {
        self.run.metrics.trend(&clip(name), value);
        Ok(())
    }

    fn check(&mut self, name: String, passed: bool) -> wasmtime::Result<bool> {
        self.run.metrics.check(&clip(name), passed);
        Ok(passed)
    }
}

impl wit::HostGroup for Host {
    fn enter(&mut self, user: u64, name: String) -> wasmtime::Result<Resource<Group>> {
        let member = match self.members.get(&user) {
            Some(member) => member.clone(),
            None => return Err(no_user(user)),
        };
        Ok(self.table.push(Group::enter(&member, &clip(name)))?)
    }

    fn drop(&mut self, group: Resource<Group>) -> wasmtime::Result<()> {
        let group = self.table.delete(group)?;
        group.leave();
        self.run.metrics.group(&group.name, group.since.elapsed());
        Ok(())
    }
}
