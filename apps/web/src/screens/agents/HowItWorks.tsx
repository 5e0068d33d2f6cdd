// The second step of a new agent: what it thinks with, who looks at its replies, what it may spend and use.
import type { ReactNode } from "react";
import type { AgentValues } from "./agentForm";
import { BudgetField, ReplyPolicyField } from "./BehaviourFields";
import { ModelPicker } from "./ModelPicker";
import { ToolPicker } from "./ToolPicker";

type Field = <Key extends keyof AgentValues & string>(
  key: Key,
) => { value: AgentValues[Key]; onChange: (value: AgentValues[Key]) => void; error: ReactNode };

export default function HowItWorks({ field }: { field: Field }) {
  return (
    <>
      <ModelPicker {...field("model")} />
      <ReplyPolicyField {...field("reply_policy")} />
      <BudgetField {...field("budget")} mayDefault />
      <ToolPicker {...field("tools")} />
    </>
  );
}
