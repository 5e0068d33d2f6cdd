// The API's types by the names that screens use; all of them are generated.
import type { components, operations } from "./schema";

type Schemas = components["schemas"];

export type AccessView = Schemas["AccessView"];
export type Area = keyof Schemas["RightsView"];
export type Right = Schemas["Right"];
export type Role = Schemas["Role"];
export type SessionView = Schemas["SessionView"];
export type UserView = Schemas["UserView"];
export type UserSessionView = Schemas["UserSessionView"];
export type LinkView = Schemas["LinkView"];
export type LinkInspection = Schemas["LinkInspectionView"];
export type TokenView = Schemas["TokenView"];
export type NewTokenView = Schemas["NewTokenView"];
export type ApprovalStatus = Schemas["ApprovalStatus"];
/** The generator takes an object that may hold anything for one that holds nothing. */
export type ApprovalView = Omit<Schemas["ApprovalView"], "action"> & { action: Record<string, unknown> };
export type OidcView = Schemas["OidcView"];
export type PeopleView = Schemas["PeopleView"];
export type OverviewView = Schemas["OverviewView"];
export type OverviewAgentView = Schemas["OverviewAgentView"];
export type CostRowView = Schemas["CostRowView"];
export type CostsView = Schemas["CostsView"];
export type OutcomesView = Schemas["OutcomesView"];
export type ProviderKind = Schemas["ProviderKind"];
export type ProviderView = Schemas["ProviderView"];
export type ModelsView = Schemas["ModelsView"];
export type RetentionView = Schemas["RetentionView"];
export type ChannelType = Schemas["ChannelType"];
export type CostGroup = NonNullable<NonNullable<operations["list_costs"]["parameters"]["query"]>["group"]>;
export type WorkItemFilter = NonNullable<operations["list_work_items"]["parameters"]["query"]>;
export type AuditEntryView = Schemas["AuditEntryView"];
export type ConversationEntryView = Schemas["ConversationEntryView"];
