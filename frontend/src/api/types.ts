import type { components } from "./schema";

type Schemas = components["schemas"];
export type Project = Schemas["Project"];
export type Task = Project["task"];
export type Label = Schemas["Label"];
export type Dataset = Schemas["Dataset"];
export type StudioImage = Schemas["Image"];
export type Annotation = Schemas["Annotation"];
export type Job = Schemas["Job"];
export type Activity = Schemas["Activity"];
export type Statistics = Schemas["Statistics"];
export type Snapshot = Schemas["Snapshot"];
export type Member = Schemas["Member"];
export type Box = [number, number, number, number];
