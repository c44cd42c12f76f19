using System.Text.Json;

namespace Breakwater.Proxy.ZeroTouch;

/// <summary>
/// A PAC file for clients with an interpreter, to be downloaded once and served from anywhere: each URL has its own proxy, the same for all
/// clients, so that several proxies which do not know of each other hold each object once. Pure.
/// </summary>
internal static class ShardingPac
{
    /// <summary>The file.</summary>
    /// <param name="proxies">As <c>host:port</c>, checked.</param>
    /// <param name="hasWayOut">Do clients fall back to <c>DIRECT</c>?</param>
    public static string Text(IEnumerable<string> proxies, bool hasWayOut) =>
        $$"""
        // Each URL has a proxy of its own, the same on every machine (rendezvous hashing). A proxy that does not answer is passed over.
        var proxies = {{JsonSerializer.Serialize(proxies.Select(proxy => proxy.ToLowerInvariant()).Order(StringComparer.Ordinal))}};
        var last = "{{(hasWayOut ? "; DIRECT" : "")}}";

        // FNV-1a of 32 bits with a finalizer; products by shifts, since old interpreters have no other exact ones.
        function score(text) {
          var h = 0x811c9dc5;
          for (var i = 0; i < text.length; i++) {
            h = (h ^ text.charCodeAt(i)) >>> 0;
            h = (h + (h << 1) + (h << 4) + (h << 7) + (h << 8) + (h << 24)) >>> 0;
          }
          h = (h ^ (h >>> 16)) >>> 0;
          h = (h + (h << 3) + (h << 10) + (h << 15)) >>> 0;
          return (h ^ (h >>> 13)) >>> 0;
        }

        function FindProxyForURL(url, host) {
          var ranked = [];
          for (var i = 0; i < proxies.length; i++) {
            ranked.push([score(url + " " + proxies[i]), proxies[i]]);
          }
          ranked.sort(function (a, b) { return b[0] - a[0]; });
          var answer = [];
          for (var j = 0; j < ranked.length; j++) {
            answer.push("PROXY " + ranked[j][1]);
          }
          return answer.join("; ") + last;
        }

        """;
}
