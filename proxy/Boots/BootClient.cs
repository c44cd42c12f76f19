namespace Breakwater.Proxy.Boots;

/// <summary>Which clients may be virtual machines that boot.</summary>
internal static class BootClient
{
    /// <summary>
    /// May a client of this kind be a VM? Another Breakwater, or an export through this one, is none: it asks for what many VMs want, or
    /// for everything.
    /// </summary>
    /// <param name="userAgent">The client's <c>User-Agent</c>; empty when it sends none.</param>
    public static bool MayBoot(ReadOnlySpan<byte> userAgent) => !userAgent.StartsWith("breakwater/"u8);

    /// <inheritdoc cref="MayBoot(ReadOnlySpan{byte})"/>
    public static bool MayBoot(string? userAgent) => userAgent is null || !userAgent.StartsWith("breakwater/", StringComparison.Ordinal);
}
