// Single sign-on, whose endpoints the generated schema does not have yet; deleted when it has.
import type { components } from "./schema";
import type { Role } from "./types";

export type OidcView = {
  name: string;
  issuer: string;
  client_id: string;
  scopes: string[];
  role_claim: string | null;
  roles: Record<string, Role>;
  default_role: Role | null;
  link_by_email: boolean;
};

type Headers = { [name: string]: unknown };
type Refused = { 400: { headers: Headers; content: { "application/problem+json": components["schemas"]["Problem"] } } };
type Answer = Refused & { 200: { headers: Headers; content: { "application/json": OidcView } } };
type Empty = Refused & { 204: { headers: Headers; content?: never } };
type Nothing = { query?: never; header?: never; path?: never; cookie?: never };

export type DraftPaths = {
  "/api/v1/settings/oidc": {
    get: { parameters: Nothing; requestBody?: never; responses: Answer };
    put: {
      parameters: Nothing;
      requestBody: { content: { "application/json": OidcView & { client_secret?: string } } };
      responses: Answer;
    };
    delete: { parameters: Nothing; requestBody?: never; responses: Empty };
  };
};
