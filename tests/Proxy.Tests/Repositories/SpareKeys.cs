using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Breakwater.Proxy.Tests.Repositories;

/// <summary>
/// RSA keys that go from one test to the next: to make one takes a tenth of a second or more, and no test can tell a new key from one that
/// another has given back. Who holds one holds it alone.
/// </summary>
internal static class SpareKeys
{
    private static readonly ConcurrentBag<RSA> s_spare = [];

    /// <summary>A key of 2048 bits that nobody else holds.</summary>
    public static RSA Take() => s_spare.TryTake(out RSA? key) ? key : RSA.Create(2048);

    /// <summary>Gives one back; who gave it does not use it any more.</summary>
    public static void Return(RSA key) => s_spare.Add(key);
}
