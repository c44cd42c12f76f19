using System.Globalization;
using System.Text;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish.Tree;

/// <summary>
/// What boots of the repository read, published with it: <see cref="PublishedSets.Path"/>, so that no site boots it cold.
/// </summary>
internal static class WorkingSetsFile
{
    /// <summary>Puts exported working sets into the tree, in place of those that are there.</summary>
    /// <param name="root">The tree.</param>
    /// <param name="file">What <c>profile export</c> wrote.</param>
    /// <param name="fqrn">The repository.</param>
    /// <exception cref="TreeException">It is not there, or other sites would not take it.</exception>
    public static void AddTo(TreeNode root, string file, string fqrn)
    {
        if (new FileInfo(file) is { Exists: true, Length: > SnapshotSource.MaxTextBytes })
        {
            throw new TreeException(string.Create(
                CultureInfo.InvariantCulture, $"{file} has more than {SnapshotSource.MaxTextBytes >> 20} MiB: name fewer working sets."));
        }

        GivenRootFile.AddTo(root, Encoding.ASCII.GetBytes(PublishedSets.Path[1..]), file);
        string? problem = WorkingSetFile.ReadAll(File.ReadAllBytes(file)).TryGet(out IReadOnlyList<WorkingSet>? sets, out string? malformed)
            ? sets.Select(set => PublishedSets.ProblemOf(set, Fqrn.Parse(fqrn))).FirstOrDefault(found => found is not null)
            : malformed;
        if (problem is not null)
        {
            throw new TreeException($"{file}: {problem} Write it with 'breakwater profile export --all {fqrn}'.");
        }
    }
}
