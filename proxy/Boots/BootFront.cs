using System.Runtime.InteropServices;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Boots;

/// <summary>
/// How far the boots of a storm have come at one moment: what a silent boot is compared with while too few whole ones are known, as in the
/// first storm of a repository. Not thread-safe; for one look.
/// </summary>
internal sealed class BootFront
{
    /// <summary>Boots that a silent one is compared with.</summary>
    private const int MaxCompared = 8;

    private readonly Dictionary<(Storm Storm, Fqrn Repository), List<Boot>> _furthestFirst = [];

    /// <summary>Looks at the boots as they stand.</summary>
    public BootFront(IEnumerable<Boot> followed)
    {
        foreach (Boot boot in followed)
        {
            if (boot.Storm is { } storm)
            {
                (CollectionsMarshal.GetValueRefOrAddDefault(_furthestFirst, (storm, boot.Repository), out _) ??= []).Add(boot);
            }
        }

        foreach (List<Boot> boots in _furthestFirst.Values)
        {
            boots.Sort(static (a, b) => b.Seen.Count.CompareTo(a.Seen.Count));
        }
    }

    /// <summary>
    /// Have most boots of its storm got further, and read what it has read? Only most: a boot that ends where as many others end is whole,
    /// though a few go on with other work.
    /// </summary>
    public bool IsBehind(Boot boot)
    {
        if (boot.Storm is not { } storm || !_furthestFirst.TryGetValue((storm, boot.Repository), out List<Boot>? boots))
        {
            return false;
        }

        int half = boots.Count / 2; // behind it: from 0 to half are more than half of all
        if (boots[half].Seen.Count * WholeBoots.AsLong <= boot.Seen.Count)
        {
            return false;
        }

        int ofItsKind = 0;
        for (int i = 0; i < MaxCompared && i <= half; i++)
        {
            ofItsKind += HasReadWhatItRead(boots[half < MaxCompared ? i : i * half / MaxCompared].Seen, boot.Seen) ? 1 : 0;
        }

        return ofItsKind >= WholeBoots.MinPeers;
    }

    /// <summary>What <see cref="IsBehind"/> costs for a boot, in look-ups.</summary>
    public static int CostOf(Boot boot) => boot.Seen.Count * MaxCompared;

    private static bool HasReadWhatItRead(SeenObjects further, SeenObjects read)
    {
        int common = 0;
        foreach (uint mark in read.Order)
        {
            common += further.Contains(mark) ? 1 : 0;
        }

        return common >= WholeBoots.SameKind * read.Count;
    }
}
