//! The OpenAPI document itself.

use serde_json::Value;
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::to_value(api::document()).unwrap()
}

/// Every value under this key, anywhere.
fn all<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                if name == key {
                    found.push(inner);
                }
                all(inner, key, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| all(item, key, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn it_is_openapi_3_1_with_every_reference_defined() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(
        document["components"]["securitySchemes"]["bearer"]["scheme"],
        "bearer"
    );
    let mut references = Vec::new();
    all(&document, "$ref", &mut references);
    assert!(references.len() > 100);
    for reference in references {
        let pointer = reference.as_str().unwrap().trim_start_matches('#');
        assert!(
            document.pointer(pointer).is_some(),
            "{pointer} is not defined"
        );
    }
}

#[test]
fn operations_are_named_tagged_described_and_say_how_they_fail() {
    let document = document();
    let tags: BTreeSet<&str> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["name"].as_str().unwrap())
        .collect();
    let mut names = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for operation in methods.as_object().unwrap().values() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} twice");
            assert!(operation["summary"].is_string(), "{name}");
            assert!(
                tags.contains(operation["tags"][0].as_str().unwrap()),
                "{name}"
            );
            let error = &operation["responses"]["401"]["content"]["application/problem+json"];
            assert!(error.is_object(), "{name}");
            let mut parameters: Vec<&str> = Vec::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                if parameter["in"] == "path" {
                    parameters.push(parameter["name"].as_str().unwrap());
                    assert_eq!(parameter["required"], true);
                }
            }
            assert_eq!(parameters.len(), path.matches('{').count(), "{name}");
        }
    }
}

#[test]
fn answers_show_every_field() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if ["Create", "Update", "Retry", "Release"]
            .iter()
            .any(|verb| name.starts_with(verb))
        {
            continue;
        }
        let mut shapes = Vec::new();
        all(schema, "properties", &mut shapes);
        let mut required = Vec::new();
        all(schema, "required", &mut required);
        let required: BTreeSet<&str> = required
            .iter()
            .filter_map(|list| list.as_array())
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for shape in shapes {
            for field in shape.as_object().unwrap().keys() {
                assert!(
                    required.contains(field.as_str()),
                    "{name}.{field} may be missing"
                );
            }
        }
    }
}
