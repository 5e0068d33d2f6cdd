// The models the server knows, with what they cost, so that a choice can be made by price.
import { TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { $api } from "../../api/client";
import type { ModelsView } from "../../api/types";
import { ErrorState } from "../../components/ErrorState";
import { ListSkeleton } from "../../components/Skeletons";
import { money, tokens } from "../../lib/format";
import { Row, Rows, Section } from "./Section";

type Model = ModelsView["items"][number];

export function ModelList() {
  const models = $api.useQuery("get", "/api/v1/models");
  const [text, setText] = useState("");
  const shown = models.data?.items.filter(({ model }) => model.toLowerCase().includes(text.trim().toLowerCase())) ?? [];
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
      {models.isPending ? (
        <ListSkeleton rows={4} />
      ) : models.isError ? (
        <ErrorState title="The models could not be loaded" error={models.error} retry={models.refetch} />
      ) : (
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
            {shown.length === 0 && <Row title="No model matches" facts={`Nothing is called like “${text}”.`} />}
            {shown.map((model) => (
              <Row
                key={model.model}
                title={<span className="mono">{model.model}</span>}
                badges={model.model === models.data.default_model ? <span>Default</span> : undefined}
                facts={<span className="tabular">{factsOf(model)}</span>}
              />
            ))}
          </Rows>
        </>
      )}
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
