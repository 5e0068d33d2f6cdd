// The API's words for agents and their sprites, by their short names.
import type { Api } from "../../api/client";
import type { components } from "../../api/schema";

type Schemas = components["schemas"];

export type AgentView = Api["/api/v1/agents/{id}"]["get"]["responses"][200]["content"]["application/json"];
export type CreateAgent = Api["/api/v1/agents"]["post"]["requestBody"]["content"]["application/json"];
export type UpdateAgent = Api["/api/v1/agents/{id}"]["patch"]["requestBody"]["content"]["application/json"];
export type LoopLimits = Schemas["LoopLimits"];
export type SpriteView = Schemas["SpriteView"];
export type ProcessView = Schemas["ProcessView"];
export type CheckpointView = Schemas["CheckpointView"];
export type NetworkPolicyView = Schemas["NetworkPolicyView"];
export type NetworkAction = Schemas["NetworkAction"];
