namespace Breakwater.Proxy.Access;

/// <summary>How many of a bounded number of places one client may have.</summary>
internal static class ClientShare
{
    /// <summary>
    /// As many times as many as are left free: one alone has four fifths, ten together all but a few, so that one who comes new always
    /// finds room. Clients that want little never notice.
    /// </summary>
    private const long TimesTheFree = 4;

    /// <summary>May a client take one more place?</summary>
    /// <param name="held">The places that it has.</param>
    /// <param name="free">The places that nobody has.</param>
    public static bool Allows(int held, int free) => free > 0 && (held == 0 || held < TimesTheFree * (free - 1));
}
