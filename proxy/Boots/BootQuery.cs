using System.Net;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Boots;

/// <summary>Which boots somebody wants to see. Immutable.</summary>
internal sealed record BootQuery
{
    /// <summary>Boots in one answer at most.</summary>
    public const int MaxLimit = 500;

    /// <summary>The storm's number; null: the newest.</summary>
    public int? Storm { get; init; }

    /// <summary>Part of the client's address, or its network (<c>10.0.0.0/24</c>); null or empty: any.</summary>
    public string? Client { get; init; }

    /// <summary>Part of the repository's name; null or empty: any.</summary>
    public string? Repository { get; init; }

    /// <summary>The state; null: any.</summary>
    public BootState? State { get; init; }

    /// <summary>The order.</summary>
    public BootOrder Order { get; init; }

    /// <summary>Boots left out at the begin.</summary>
    public int Offset { get; init; }

    /// <summary>Boots wanted.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>
    /// The boots that the filter lets through, in order. Ties are in the order of their begin, so that pages do not overlap.
    /// </summary>
    public IReadOnlyList<BootLine> Choose(IEnumerable<BootLine> boots)
    {
        IPNetwork? network = Client?.Contains('/', StringComparison.Ordinal) == true && IPNetwork.TryParse(Client, out IPNetwork parsed)
            ? parsed
            : null;
        List<BootLine> chosen = [.. boots.Where(boot => Lets(boot, network))];
        chosen.Sort(Compare);
        return chosen;
    }

    private bool Lets(BootLine boot, IPNetwork? network) =>
        (State is null || boot.State == State)
        && (string.IsNullOrEmpty(Repository) || boot.Repository.ToString().Contains(Repository, StringComparison.OrdinalIgnoreCase))
        && (string.IsNullOrEmpty(Client) || (network is { } known
            ? known.Contains(boot.Client.IsIPv4MappedToIPv6 ? boot.Client.MapToIPv4() : boot.Client)
            : boot.ClientText.Contains(Client, StringComparison.OrdinalIgnoreCase)));

    private int Compare(BootLine a, BootLine b)
    {
        int first = Order switch
        {
            BootOrder.Fastest => a.DurationMs.CompareTo(b.DurationMs),
            BootOrder.Oldest => a.StartedAt.CompareTo(b.StartedAt),
            BootOrder.Newest => b.StartedAt.CompareTo(a.StartedAt),
            BootOrder.Client => CompareAddresses(a.Client, b.Client),
            BootOrder.Requests => b.Requests.CompareTo(a.Requests),
            BootOrder.Bytes => b.Bytes.CompareTo(a.Bytes),
            BootOrder.Attention when a.State != b.State => Urgency(a.State) - Urgency(b.State),
            _ => b.DurationMs.CompareTo(a.DurationMs),
        };
        return first != 0 ? first : a.Id.CompareTo(b.Id);
    }

    private static int Urgency(BootState state) => state switch { BootState.Stopped => 0, BootState.Booting => 1, _ => 2 };

    /// <summary>10.0.0.9 before 10.0.0.10.</summary>
    private static int CompareAddresses(IPAddress a, IPAddress b)
    {
        Span<byte> left = stackalloc byte[16];
        Span<byte> right = stackalloc byte[16];
        a.MapToIPv6().TryWriteBytes(left, out _);
        b.MapToIPv6().TryWriteBytes(right, out _);
        return left.SequenceCompareTo(right);
    }
}
