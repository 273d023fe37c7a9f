//! The dashboard and the files around it, without a run: what Grafana would not tell, or
//! tell too late.

use std::collections::BTreeSet;

use aiotest_tests::Prometheus;
use serde_json::Value;

use super::dashboard::{Dashboard, deployed, list, read, text};

/// The width of a dashboard.
const COLUMNS: u64 = 24;

#[test]
fn every_panel_says_what_it_shows_and_in_which_unit() {
    let dashboard = Dashboard::read();
    let panels = dashboard.panels();
    assert!(panels.len() > 30, "{}", panels.len());
    for panel in panels {
        let title = text(&panel["title"]);
        assert!(!title.is_empty(), "{panel}");
        let description = text(&panel["description"]);
        assert!(description.ends_with('.'), "{title}: {description:?}");
        let unit = text(&panel["fieldConfig"]["defaults"]["unit"]);
        assert!(!unit.is_empty(), "{title}");
        assert!(!list(&panel["targets"]).is_empty(), "{title}");
    }
}

#[test]
fn panels_have_ids_of_their_own_and_do_not_overlap() {
    let dashboard = Dashboard::read();
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in dashboard.all_panels() {
        assert!(ids.insert(panel["id"].as_u64()), "{panel}");
        let at = |side: &str| panel["gridPos"][side].as_u64().expect("a place");
        let (x, y, w, h) = (at("x"), at("y"), at("w"), at("h"));
        assert!(w > 0 && h > 0 && x + w <= COLUMNS, "{panel}");
        for place in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(place), "{} overlaps", panel["title"]);
        }
    }
}

#[test]
fn queries_of_a_panel_have_letters_of_their_own() {
    for panel in Dashboard::read().panels() {
        let targets = list(&panel["targets"]);
        let letters: BTreeSet<_> = targets.iter().map(|t| text(&t["refId"])).collect();
        assert_eq!(letters.len(), targets.len(), "{}", panel["title"]);
        // Grafana treats a query of both kinds as two.
        for target in targets {
            assert_ne!(target["instant"], target["range"], "{}", panel["title"]);
        }
    }
}

#[test]
fn everything_comes_from_the_chosen_data_source() {
    fn check(value: &Value) -> usize {
        let inner = match value {
            Value::Object(fields) => fields.values().map(check).sum(),
            Value::Array(items) => items.iter().map(check).sum(),
            _ => 0,
        };
        let Some(source) = value.get("datasource") else {
            return inner;
        };
        assert_eq!(source["uid"], "${datasource}", "{value}");
        inner + 1
    }
    let dashboard = Dashboard::read();
    let asking = dashboard.panels().len() + dashboard.queries().len();
    let others = dashboard.variables().len() + dashboard.annotations().len();
    assert_eq!(check(&dashboard.0), asking + others);
}

#[test]
fn every_query_is_of_the_chosen_engines() {
    let dashboard = Dashboard::read();
    for query in dashboard.queries().iter().chain(&dashboard.annotations()) {
        let metrics = query.expression.matches("aiotest_").count();
        let chosen = r#"{job=~"$job",instance=~"$instance""#;
        assert_eq!(
            query.expression.matches(chosen).count(),
            metrics,
            "{}: {}",
            query.place,
            query.expression
        );
    }
}

#[test]
fn its_address_stays_and_grafana_of_today_reads_it() {
    let Dashboard(dashboard) = Dashboard::read();
    assert_eq!(dashboard["uid"], "aiotest-engine");
    assert!(dashboard["schemaVersion"].as_u64() >= Some(39));
    // Grafana gives it one.
    assert!(dashboard.get("id").is_none_or(Value::is_null));
}

#[test]
fn the_files_around_it_fit_together() {
    let said = Prometheus::check("config", &deployed("prometheus/prometheus.yml"));
    assert!(said.contains("rules found"), "{said}");
    // What the containers are given is there.
    let compose = read("compose.yaml");
    let mounts = compose.lines().filter_map(|line| {
        let (ours, _) = line.trim().strip_prefix("- ./")?.split_once(':')?;
        Some(ours)
    });
    assert!(mounts.map(deployed).count() >= 4, "{compose}");
    // The engine is scraped as often as Grafana believes.
    let scrapes = read("prometheus/prometheus.yml");
    let source = read("grafana/provisioning/datasources/prometheus.yaml");
    assert!(scrapes.contains("scrape_interval: 1s"), "{scrapes}");
    assert!(source.contains("timeInterval: 1s"), "{source}");
}
