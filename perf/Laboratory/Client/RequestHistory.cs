namespace Breakwater.Laboratory.Client;

/// <summary>What a request has been through, and what is left.</summary>
internal readonly record struct RequestHistory(int Retries, bool NoCacheTried, int HostsLeft, int ProxiesLeft);
