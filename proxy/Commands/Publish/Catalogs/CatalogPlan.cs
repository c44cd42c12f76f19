using Breakwater.Proxy.Commands.Publish.Tree;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish.Catalogs;

/// <summary>
/// Decides where nested catalogs begin: at directories with a <c>.cvmfscatalog</c>, and where a catalog would have too many entries at its
/// heaviest directories. What was cut once stays cut while it is worth it, so that a revision changes few catalogs. Pure.
/// </summary>
/// <param name="maxEntries">Entries above which a catalog is divided.</param>
/// <param name="wasAutomatic">Was a catalog made for this directory, by its entries, in the revision before?</param>
internal sealed class CatalogPlan(int maxEntries, Func<PathKey, bool> wasAutomatic)
{
    /// <summary>Entries below which a directory gets no catalog for its size: each costs a client a request.</summary>
    public const int MinEntries = 1000;

    /// <summary>Name of the file that asks for a nested catalog.</summary>
    public static ReadOnlySpan<byte> Marker => ".cvmfscatalog"u8;

    /// <summary>Sets <see cref="TreeNode.IsNested"/> in the whole tree.</summary>
    public void Apply(TreeNode root) => Weigh(root);

    /// <summary>Does the directory have a file that asks for a catalog?</summary>
    public static bool HasMarker(TreeNode directory) => directory.Child(Marker) is { Stat.IsRegular: true };

    /// <summary>Entries of the directory in the catalog that it is in, with all below it that is in the same one.</summary>
    private int Weigh(TreeNode directory)
    {
        int weight = 1;
        List<(TreeNode Node, int Weight)> directories = [];
        foreach (TreeNode child in directory.Children!)
        {
            if (child.Children is null)
            {
                weight++;
                continue;
            }

            int below = Weigh(child);
            child.IsNested = HasMarker(child) || (below >= MinEntries / 2 && wasAutomatic(child.Key));
            if (child.IsNested)
            {
                weight++;
                continue;
            }

            weight += below;
            directories.Add((child, below));
        }

        // Stable: of two as heavy the first by name.
        foreach ((TreeNode node, int below) in directories.Where(d => d.Weight >= MinEntries).OrderByDescending(d => d.Weight))
        {
            if (weight <= maxEntries)
            {
                break;
            }

            node.IsNested = true;
            weight -= below - 1;
        }

        return weight;
    }
}
