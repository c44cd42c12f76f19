using Breakwater.Proxy.Commands.Publish.Tree;

namespace Breakwater.Proxy.Commands.Publish.Catalogs;

/// <summary>A <c>.cvmfscatalog</c> in the repository's root, where a catalog begins anyway: the usual tools refuse it.</summary>
internal static class RootMarker
{
    /// <summary>Takes it out of the tree.</summary>
    public static void Remove(TreeNode root, List<string> notes)
    {
        if (CatalogPlan.HasMarker(root))
        {
            root.Children = [.. root.Children!.Where(child => !child.Name.AsSpan().SequenceEqual(CatalogPlan.Marker))];
            notes.Add("The .cvmfscatalog in the root of the tree is left out: a catalog begins there anyway, "
                + "and clients' tools refuse it.");
        }
    }
}
