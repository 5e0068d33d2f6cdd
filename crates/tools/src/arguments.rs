//! Turns the JSON of a model into arguments, or into a sentence that says exactly what is wrong
//! with it. The schema the model was given is the measure.

use ports::inference::ToolSpec;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The arguments of a tool.
pub(crate) fn parse<T: DeserializeOwned>(spec: &ToolSpec, arguments: Value) -> Result<T, String> {
    check(spec, &arguments)?;
    serde_json::from_value(arguments)
        .map_err(|error| format!("Wrong arguments for {}: {error}.", spec.name))
}

/// Names the first field that does not fit; what types alone would say lacks its name.
fn check(spec: &ToolSpec, arguments: &Value) -> Result<(), String> {
    let wrong = |what: String| Err(format!("Wrong arguments for {}: {what}.", spec.name));
    let Value::Object(given) = arguments else {
        return wrong(format!("expected a JSON object, got {}", kind(arguments)));
    };
    let properties = spec.parameters.get("properties").and_then(Value::as_object);
    let known = |name: &str| properties.and_then(|properties| properties.get(name));
    for (name, value) in given {
        let Some(schema) = known(name) else {
            let names: Vec<&str> = properties
                .into_iter()
                .flat_map(|properties| properties.keys().map(String::as_str))
                .collect();
            return wrong(format!(
                "there is no `{name}`; known are {}",
                names.join(", ")
            ));
        };
        let expected = schema
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !fits(value, expected) {
            return wrong(format!(
                "`{name}` must be {}, got {}",
                article(expected),
                kind(value)
            ));
        }
    }
    let required = spec.parameters.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if !given.contains_key(name) {
            return wrong(format!("`{name}` is missing"));
        }
    }
    Ok(())
}

fn fits(value: &Value, expected: &str) -> bool {
    match expected {
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn article(expected: &str) -> &'static str {
    match expected {
        "string" => "a string",
        "integer" => "a whole number, not negative",
        "boolean" => "true or false",
        "object" => "a JSON object",
        _ => "left out",
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(_) => "a string".into(),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::standard;
    use serde_json::{Value, json};

    #[test]
    fn the_wrong_field_is_named() {
        let tools = standard();
        let bash = tools
            .iter()
            .find(|tool| tool.spec().name == "bash")
            .unwrap();
        let cases = [
            (json!([1]), "expected a JSON object, got a list"),
            (
                json!({"cmd": "x"}),
                "there is no `cmd`; known are command, timeout_seconds",
            ),
            (json!({"command": 5}), "`command` must be a string, got 5"),
            (
                json!({"command": "x", "timeout_seconds": "9"}),
                "`timeout_seconds` must be a whole number, not negative, got a string",
            ),
            (
                json!({"command": "x", "timeout_seconds": -1}),
                "`timeout_seconds` must be a whole number, not negative, got -1",
            ),
            (json!({}), "`command` is missing"),
        ];
        for (arguments, text) in cases {
            let error = parse::<Value>(bash.spec(), arguments).unwrap_err();
            assert_eq!(error, format!("Wrong arguments for bash: {text}."));
        }
    }
}
