import { useQuery } from "@tanstack/react-query";
import { api, send } from "../api/client";
import { keys } from "../api/keys";
import type { components } from "../api/schema";
import type { Member } from "../api/types";
import { queryClient } from "../app/queries";

export type Role = components["schemas"]["RoleName"];
export type Link = components["schemas"]["InvitationLink"];
export type Invited = components["schemas"]["PendingMember"];
export type Invitation = components["schemas"]["Invitation"];
export type NewLink = components["schemas"]["NewInvitationLink"];

const json = { "Content-Type": "application/json" };

export function useMembers(project: string) {
  return useQuery({
    queryKey: keys.members(project),
    queryFn: async (): Promise<Member[]> => {
      const { data } = await api.GET("/api/v1/projects/{project_id}/members/", {
        params: { path: { project_id: project } },
      });
      return data?.results ?? [];
    },
  });
}

export function useLinks(project: string, isOwner: boolean) {
  return useQuery({
    queryKey: [...keys.members(project), "links"],
    enabled: isOwner,
    queryFn: () => send<{ results: Link[] }>("GET", `/api/v1/projects/${project}/invitation-links/`),
  });
}

export async function makeLink(project: string, role: Role): Promise<NewLink> {
  const link = await send<NewLink>(
    "POST",
    `/api/v1/projects/${project}/invitation-links/`,
    JSON.stringify({ role, uses: 5 }),
    json,
  );
  await queryClient.invalidateQueries({ queryKey: keys.members(project) });
  return link;
}

export async function endLink(project: string, id: string): Promise<void> {
  await send("DELETE", `/api/v1/projects/${project}/invitation-links/${id}/`);
  await queryClient.invalidateQueries({ queryKey: keys.members(project) });
}

export async function changeRole(project: string, id: string, role: Role): Promise<void> {
  await send("PATCH", `/api/v1/projects/${project}/members/${id}/`, JSON.stringify({ role }), json);
  await queryClient.invalidateQueries({ queryKey: keys.members(project) });
}

export async function removeMember(project: string, id: string): Promise<void> {
  await send("DELETE", `/api/v1/projects/${project}/members/${id}/`);
  await queryClient.invalidateQueries({ queryKey: keys.members(project) });
}

export async function renameProject(project: string, name: string): Promise<void> {
  await send("PATCH", `/api/v1/projects/${project}/`, JSON.stringify({ name }), json);
  await queryClient.invalidateQueries({ queryKey: keys.projects });
}

/** A member at once for those who share a project with one; all others are invited. */
export async function addMember(project: string, username: string, role: Role): Promise<void> {
  await send("POST", `/api/v1/projects/${project}/members/`, JSON.stringify({ username, role }), json);
  await queryClient.invalidateQueries({ queryKey: keys.members(project) });
}

/** Who was invited by name and has not answered. */
export function useInvited(project: string, isOwner: boolean) {
  return useQuery({
    queryKey: [...keys.members(project), "invited"],
    enabled: isOwner,
    queryFn: () => send<{ results: Invited[] }>("GET", `/api/v1/projects/${project}/invitations/`),
  });
}

export async function endInvitation(project: string, id: string): Promise<void> {
  await send("DELETE", `/api/v1/projects/${project}/invitations/${id}/`);
  await queryClient.invalidateQueries({ queryKey: keys.members(project) });
}

export async function leaveProject(project: string): Promise<void> {
  await send("POST", `/api/v1/projects/${project}/leave/`, "{}", json);
  await queryClient.invalidateQueries({ queryKey: keys.projects });
}

const ownInvitations = ["invitations"];

/** Projects that others want one in. */
export function useOwnInvitations() {
  return useQuery({
    queryKey: ownInvitations,
    queryFn: () => send<{ results: Invitation[] }>("GET", "/api/v1/invitations/"),
  });
}

export async function answerInvitation(id: string, answer: "accept" | "decline"): Promise<void> {
  await send("POST", `/api/v1/invitations/${id}/${answer}/`, "{}", json);
  await Promise.all([
    queryClient.invalidateQueries({ queryKey: ownInvitations }),
    queryClient.invalidateQueries({ queryKey: keys.projects }),
  ]);
}
