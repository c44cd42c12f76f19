using Breakwater.Proxy.Boots;

namespace Breakwater.Proxy.Admin;

/// <summary>A boot with its requests.</summary>
internal sealed record BootDetails(BootView Boot, IReadOnlyList<BootRequestView> Requests);
