using System.Security.Cryptography;
using System.Text;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Finds requests that come back: two proxies that name each other as Stratum 1 or parent would ask each other without end. What is asked
/// of others carries <c>Via</c> (RFC 9110, 7.6.3) and <c>CDN-Loop</c> (RFC 8586) with a name that no other process has. Thread-safe.
/// </summary>
internal sealed class LoopGuard
{
    /// <summary>
    /// A longer chain is no way of a request in order: it goes round through proxies that do not see it, or somebody made it up.
    /// </summary>
    private const int MaxChainLength = 2048;

    private readonly string _id;
    private readonly byte[] _idBytes;
    private readonly byte[] _nameBytes;
    private readonly string _name;

    /// <summary>Proxies that nobody named are all called the same: then the name in Via tells nothing.</summary>
    private readonly bool _hasOwnName;

    public LoopGuard(ProxyOptions options)
    {
        _name = options.Name;
        _hasOwnName = options.Name != new ProxyOptions().Name;
        _id = $"{options.Name}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";
        _idBytes = Encoding.ASCII.GetBytes(_id.ToLowerInvariant());
        _nameBytes = Encoding.ASCII.GetBytes(_name.ToLowerInvariant());
    }

    /// <summary>Has the request been here before? If not, its chain is carried on by what it causes.</summary>
    public bool IsLoop(IHeaderDictionary fields)
    {
        if (fields.Via.Count == 0 && !fields.ContainsKey("CDN-Loop"))
        {
            return false;
        }

        string via = fields.Via.ToString();
        string cdnLoop = fields["CDN-Loop"].ToString();
        if (via.Length + cdnLoop.Length > MaxChainLength || cdnLoop.Contains(_id, StringComparison.OrdinalIgnoreCase)
            || (_hasOwnName && IsInVia(via)))
        {
            return true;
        }

        ForwardedChain.Current = new ForwardedChain(Kept(via), Kept(cdnLoop));
        return false;
    }

    /// <summary>May it have been here before? False is certain; for the raw path, which has only bytes.</summary>
    public bool MayBeLoop(ReadOnlySpan<byte> via, ReadOnlySpan<byte> cdnLoop) =>
        via.Length + cdnLoop.Length > MaxChainLength || MayHold(cdnLoop, _idBytes) || (_hasOwnName && MayHold(via, _nameBytes));

    private static bool MayHold(ReadOnlySpan<byte> chain, ReadOnlySpan<byte> lowerCase) =>
        chain.IndexOf(lowerCase) >= 0 || chain.ContainsAnyInRange((byte)'A', (byte)'Z');

    /// <summary>Adds this proxy to the chain on a request to another server.</summary>
    public void Sign(HttpRequestMessage request)
    {
        ForwardedChain? chain = ForwardedChain.Current;
        request.Headers.Remove("Via");
        request.Headers.Remove("CDN-Loop");
        request.Headers.TryAddWithoutValidation("Via", Join(chain?.Via, $"1.1 {_name}"));
        request.Headers.TryAddWithoutValidation("CDN-Loop", Join(chain?.CdnLoop, _id));
    }

    private static string Join(string? before, string own) => before is null ? own : $"{before}, {own}";

    /// <summary>Our HTTP client sends ASCII only.</summary>
    private static string? Kept(string chain) => chain.Length > 0 && Ascii.IsValid(chain) ? chain : null;

    /// <summary><c>Via = #( received-protocol RWS received-by [ RWS comment ] )</c>; received-by may have a port.</summary>
    private bool IsInVia(string via)
    {
        foreach (string element in via.Split(','))
        {
            string[] words = element.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 2 && words[1].Split(':')[0].Equals(_name, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
