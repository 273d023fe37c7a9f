//! Source text → the modules that it may import. Names too many rather than too few: a
//! line of a text that reads like an import costs nothing, unless there is such a module.

use std::collections::BTreeSet;

/// Names of the modules, as far as the first dot: what a package has goes with it.
pub(super) fn imports(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let source = source.replace("\\\r\n", " ").replace("\\\n", " ");
    // A statement may follow another one, or what it depends on: `try: import a`.
    for statement in source.split(['\n', '\r', ';', ':']) {
        let statement = statement.trim_start();
        if let Some(rest) = keyword(statement, "import") {
            found.extend(rest.split(',').filter_map(module));
        } else if let Some(rest) = keyword(statement, "from") {
            found.extend(module(rest));
        }
    }
    for call in ["import_module(", "__import__("] {
        let calls = source.match_indices(call);
        let arguments = calls.map(|(at, _)| source[at + call.len()..].trim_start());
        let quoted = arguments.filter_map(|text| text.strip_prefix(['"', '\'']));
        found.extend(quoted.filter_map(module));
    }
    found
}

fn keyword<'a>(statement: &'a str, word: &str) -> Option<&'a str> {
    let rest = statement.strip_prefix(word)?;
    rest.starts_with(char::is_whitespace).then_some(rest)
}

/// The first part of a module's name. Relative names are of the package they stand in.
fn module(text: &str) -> Option<String> {
    let text = text.trim_start();
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let name = &text[..text.find(|c| !word(c)).unwrap_or(text.len())];
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_as_people_write_them() {
        for (source, modules) in [
            ("import json", &["json"][..]),
            (
                "import json, shop.cart as cart,users",
                &["json", "shop", "users"],
            ),
            ("from shop.cart import Cart, Item", &["shop"]),
            ("from shop import (\n    cart,\n    users,\n)", &["shop"]),
            ("    import late", &["late"]),
            (
                "try: import fast\nexcept ImportError: import slow as fast",
                &["fast", "slow"],
            ),
            ("import one; import two", &["one", "two"]),
            ("import one, \\\n    two", &["one", "two"]),
            ("from \\\n  shop import cart", &["shop"]),
            ("import\tshop\r\nimport users\r\n", &["shop", "users"]),
            (
                "from . import cart\nfrom .users import User\nfrom .. import x",
                &[],
            ),
            ("x = importlib.import_module('shop.cart')", &["shop"]),
            ("__import__( \"shop\" )", &["shop"]),
            ("import_module(name)", &[]),
            ("imported = 1\nfromage = 2\n# see import", &[]),
            ("import größe", &["größe"]),
            ("", &[]),
        ] {
            assert!(imports(source).iter().eq(modules), "{source}");
        }
    }
}
