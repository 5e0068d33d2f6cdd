// The API's words for integrations, by their short names.

import type { components } from "../../api/schema";
import type { ChannelType } from "../../api/types";

type Schemas = components["schemas"];

/** The type stays a plain word: a server newer than this page may know one that this page does not. */
export type IntegrationView = Omit<Schemas["IntegrationView"], "type"> & { type: string };
export type IntegrationTest = Schemas["IntegrationTest"];
export type CreateIntegration = Schemas["CreateIntegration"];
/** What a type's settings are is its descriptor's business; the schema only says that they are an object. */
export type UpdateIntegration = Omit<Schemas["UpdateIntegration"], "config"> & { config?: Record<string, unknown> };
export type Health = Schemas["Health"];
export type { ChannelType };
