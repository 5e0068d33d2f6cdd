//! The HTTP surface: routes, OpenAPI document, server-sent events.
