//! The dashboard as Grafana reads it: its panels, its queries, and what Grafana puts in for
//! variables. Knows nothing of runs.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::Value;

/// A file below `deploy`.
pub(crate) fn deployed(file: &str) -> PathBuf {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = workspace.join("deploy").join(file);
    path.canonicalize()
        .unwrap_or_else(|error| panic!("no {}: {error}", path.display()))
}

/// The text of a file below `deploy`.
pub(crate) fn read(file: &str) -> String {
    fs::read_to_string(deployed(file)).expect("the file is text")
}

/// The dashboard that is shipped.
pub(crate) struct Dashboard(pub(crate) Value);

/// A query of a panel or an annotation.
pub(crate) struct Query {
    /// What asks: the title of the panel and the query's letter.
    pub(crate) place: String,
    /// With variables.
    pub(crate) expression: String,
    /// About one moment, not a stretch of time.
    pub(crate) instant: bool,
}

impl Dashboard {
    pub(crate) fn read() -> Self {
        let text = read("grafana/dashboards/aiotest-engine.json");
        Self(serde_json::from_str(&text).expect("the dashboard is JSON"))
    }

    /// All panels but the rows' headings.
    pub(crate) fn panels(&self) -> Vec<&Value> {
        let panels = self.all_panels().into_iter();
        panels.filter(|panel| panel["type"] != "row").collect()
    }

    pub(crate) fn all_panels(&self) -> Vec<&Value> {
        list(&self.0["panels"])
            .iter()
            .flat_map(|panel| std::iter::once(panel).chain(list(&panel["panels"])))
            .collect()
    }

    /// Variables that ask Prometheus, each with its question.
    pub(crate) fn variables(&self) -> Vec<(&str, &str)> {
        let all = list(&self.0["templating"]["list"]).iter();
        all.filter(|variable| variable["type"] == "query")
            .map(|variable| (text(&variable["name"]), text(&variable["query"]["query"])))
            .collect()
    }

    pub(crate) fn annotations(&self) -> Vec<Query> {
        let all = list(&self.0["annotations"]["list"]).iter();
        all.map(|annotation| Query {
            place: format!("annotation {}", text(&annotation["name"])),
            expression: text(&annotation["expr"]).to_owned(),
            instant: false,
        })
        .collect()
    }

    /// The queries of all panels.
    pub(crate) fn queries(&self) -> Vec<Query> {
        let queries = |panel: &Value| -> Vec<Query> {
            let targets = list(&panel["targets"]).iter();
            targets
                .map(|target| Query {
                    place: format!("{} {}", text(&panel["title"]), text(&target["refId"])),
                    expression: text(&target["expr"]).to_owned(),
                    instant: target["instant"] == true,
                })
                .collect()
        };
        self.panels().into_iter().flat_map(queries).collect()
    }

    /// The expression of one of them.
    pub(crate) fn query(&self, place: &str) -> String {
        let found = self.queries().into_iter().find(|q| q.place == place);
        found
            .unwrap_or_else(|| panic!("no query {place}"))
            .expression
    }
}

/// The expression as Grafana sends it, with the values of the variables.
pub(crate) fn fill(expression: &str, variables: &BTreeMap<&str, String>) -> String {
    let mut filled = expression.to_owned();
    // The longest first: one name may begin with another.
    for (name, value) in variables.iter().rev() {
        filled = filled.replace(&format!("${name}"), value);
    }
    assert!(!filled.contains('$'), "a variable is unknown in {filled}");
    filled
}

/// The items, or none where there is no list.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[track_caller]
pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}
