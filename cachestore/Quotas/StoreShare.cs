using System.IO.Hashing;
using System.Text;

namespace Breakwater.CacheStore.Quotas;

/// <summary>A party whose objects are counted together, and what they may take when room is short.</summary>
/// <param name="Name">Names it for people, and gives the mark that its objects carry on disk.</param>
/// <param name="QuotaBytes">
/// Beyond it its objects give way first, and push out nobody's. Null: it is counted, and has no limit of its own.
/// </param>
public sealed record StoreShare(string Name, long? QuotaBytes)
{
    /// <summary>What its objects carry on disk, from 1; two names may have the same by chance, one pair in 65,535.</summary>
    public ushort Mark { get; } = (ushort)((XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(Name)) % ushort.MaxValue) + 1);
}
