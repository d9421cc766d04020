export const FIREFOX_PACKAGES: string[];
export function findFirefox(): string | null;
export function findVulkan(): Record<string, string> | null;
export function firefoxPath(): string;
export function vulkanEnvironment(): Record<string, string>;
