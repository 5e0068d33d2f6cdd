import { onlineManager } from "@tanstack/react-query";
import { HttpResponse, http } from "msw";
import { afterEach, expect, it } from "vitest";
import { server } from "../testing/server";
import { $api, client } from "./client";
import { queryClient } from "./queryClient";

const params = { path: { id: "0198c0de-0000-7000-8000-000000000001" } };

afterEach(() => {
  onlineManager.setOnline(true);
  queryClient.clear();
});

it("says at once that there is no network, instead of waiting for one", async () => {
  onlineManager.setOnline(false);
  server.use(http.all("*/api/v1/jobs/*", () => HttpResponse.error()));
  const cancelling = queryClient.getMutationCache().build(queryClient, {
    mutationFn: () => client.POST("/api/v1/jobs/{id}/cancel", { params }),
  });
  await expect(cancelling.execute(undefined)).rejects.toMatchObject({ code: "unreachable" });
  const job = $api.queryOptions("get", "/api/v1/jobs/{id}", { params });
  await expect(queryClient.fetchQuery({ ...job, retry: false })).rejects.toMatchObject({ code: "unreachable" });
});
