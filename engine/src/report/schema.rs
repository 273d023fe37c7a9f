//! The document's schema is published beside its explanation, and is that of the types.

use super::Report;
use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use std::path::Path;

#[test]
fn the_published_schema_is_up_to_date() {
    // What an older document leaves out is nothing that a newer one has to know.
    let without_defaults = RecursiveTransform(|schema: &mut Schema| {
        schema.remove("default");
    });
    let generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .with_transform(without_defaults)
        .into_generator();
    let schema = generator.into_root_schema_for::<Report>();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report.schema.json");
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        std::fs::write(&path, text).unwrap();
    }
    // The order of the keys depends on how the library was built.
    let published = std::fs::read(&path).unwrap();
    let published: Schema = serde_json::from_slice(&published).unwrap();
    assert!(
        schema == published,
        "{} is not that of the types; write it with UPDATE_GOLDENS=1",
        path.display()
    );
}
