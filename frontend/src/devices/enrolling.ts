/** Lines for a terminal on the device: they install the agent, enrol it and let it run for good (docs/edge.md). */
export function enrolmentLines(studio: string, code: string): string {
  const agent = "/opt/mlstudio-agent/bin/mlstudio-agent";
  const asAgent = `sudo -u mlstudio-agent ${agent}`;
  return [
    "sudo apt install -y python3-venv",
    // No registry has the two packages that the agent needs: pip takes them from the same copy.
    "sudo python3 -m venv /opt/mlstudio-agent",
    "sudo /opt/mlstudio-agent/bin/pip install ./mlstudio/vision ./mlstudio/fastdfs ./mlstudio/agent",
    "sudo useradd --system --create-home --home-dir /var/lib/mlstudio-agent mlstudio-agent",
    `${asAgent} enrol --url ${studio} --code ${code}`,
    `${asAgent} pull`,
    "sudo cp mlstudio/agent/mlstudio-agent.service /etc/systemd/system/ && sudo systemctl enable --now mlstudio-agent",
  ].join("\n");
}

/** Whether other machines can reach a studio at this address: "localhost" is each machine's own. */
export function isOwnMachine(studio: string): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(new URL(studio).hostname);
}
