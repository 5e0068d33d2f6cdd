// The models the server knows, with what they cost, so that a choice can be made by price.
import { TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { $api } from "../../api/client";
import type { ModelsView } from "../../api/types";
import { Loaded } from "../../components/Loaded";
import { ListSkeleton } from "../../components/Skeletons";
import { money, tokens } from "../../lib/format";
import { Row, Rows, Section } from "./Section";

type Model = ModelsView["items"][number];

export function ModelList() {
  const models = $api.useQuery("get", "/api/v1/models");
  const [text, setText] = useState("");
  const isSought = ({ model }: Model) => model.toLowerCase().includes(text.trim().toLowerCase());
  return (
    <Section
      title="Models"
      description={
        models.data ? (
          <>
            Agents that name no model use <span className="mono">{models.data.default_model}</span>, the server's
            default. Prices are per million tokens.
          </>
        ) : (
          "Prices are per million tokens."
        )
      }
    >
      <Loaded query={models} failure="The models could not be loaded" skeleton={<ListSkeleton rows={4} />}>
        {({ items, default_model }) => (
          <>
            <TextInput
              aria-label="Search models"
              placeholder="Search models"
              leftSection={<IconSearch size={14} aria-hidden />}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              maw={320}
            />
            <Rows label="Models">
              {!items.some(isSought) && <Row title="No model matches" facts={`Nothing is called like “${text}”.`} />}
              {items.filter(isSought).map((model) => (
                <Row
                  key={model.model}
                  title={<span className="mono">{model.model}</span>}
                  badges={model.model === default_model ? <span>Default</span> : undefined}
                  facts={<span className="tabular">{factsOf(model)}</span>}
                />
              ))}
            </Rows>
          </>
        )}
      </Loaded>
    </Section>
  );
}

function factsOf(model: Model): string {
  const price = `${money(model.input_micros_per_million)} in, ${money(model.output_micros_per_million)} out`;
  return [
    model.priced ? price : `${price}: not in the price list, counted as dearly as the dearest common model`,
    `${tokens(model.context_tokens)} context`,
    `${tokens(model.max_output_tokens)} answer`,
  ].join(" · ");
}
