//! What else differs between two runs, so that their numbers may differ for that. Knows
//! nothing of the numbers.

use crate::report::Report;

/// Users may differ by this share without being another load.
const SAME_LOAD: f64 = 0.05;

/// Reasons to be careful with a run beside its baseline, and with the run alone.
pub(super) fn notes(baseline: &Report, report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    let mut differs = |what: &str, before: &str, after: &str| {
        if before != after {
            notes.push(format!("{what}: {after} (baseline: {before})"));
        }
    };
    let host = |report: &Report| report.run.host.clone().unwrap_or_else(|| "none".into());
    let hash = |report: &Report| {
        let hash = &report.environment.component_sha256;
        let start: String = hash.chars().take(12).collect();
        format!("{} {start}", report.run.component)
    };
    let machine = |report: &Report| {
        let environment = &report.environment;
        format!("{}, {} cores", environment.machine, environment.cores)
    };
    let [before, after] = [baseline, report];
    differs("another host", &host(before), &host(after));
    differs("another component", &hash(before), &hash(after));
    differs(
        "another version of the engine",
        &before.environment.engine,
        &after.environment.engine,
    );
    differs("another machine", &machine(before), &machine(after));
    let (users, peak) = (before.users.peak as f64, after.users.peak as f64);
    if (users - peak).abs() > SAME_LOAD * users.max(peak) {
        differs(
            "another load: users at peak",
            &users.to_string(),
            &peak.to_string(),
        );
    }
    if report.engine.saturated {
        notes.push("generator saturated: response times include the engine's own delays".into());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::synthetic::Process;

    #[test]
    fn what_differs_is_told_and_what_does_not_is_not() {
        let baseline = Process::default().run(1);
        assert_eq!(notes(&baseline, &baseline), [""; 0]);
        let mut report = baseline.clone();
        report.run.host = Some("http://127.0.0.1:2".into());
        report.run.component = "b.wasm".into();
        report.environment.component_sha256 = "0123456789abcdef".into();
        report.environment.engine = "9.9.9".into();
        report.environment.cores = 99;
        report.users.peak = baseline.users.peak * 2;
        report.engine.saturated = true;
        let notes = notes(&baseline, &report);
        assert_eq!(notes.len(), 6, "{notes:?}");
        assert!(notes[0].starts_with("another host: http://127.0.0.1:2 (baseline: "));
        assert!(notes[1].starts_with("another component: b.wasm 0123456789ab (baseline: "));
        assert!(
            notes[4].contains("users at peak: 200 (baseline: 100)"),
            "{notes:?}"
        );
    }
}
