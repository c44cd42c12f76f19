using System.Globalization;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Seed;

namespace Breakwater.Proxy.Commands.Publish;

/// <summary>What the commands of <c>publish</c> say.</summary>
internal static class PublishView
{
    /// <summary>What a publication did.</summary>
    public static void Show(PublishResult result, PublishPlace place)
    {
        foreach (string note in result.Notes)
        {
            Console.Error.WriteLine("Note: " + note);
        }

        string read = string.Create(CultureInfo.InvariantCulture, $"{result.FilesRead} files read ({SeedView.Size(result.BytesRead)})");
        if (!result.IsNew)
        {
            Console.WriteLine($"Nothing has changed: {place.Fqrn} stays at revision {result.Manifest.Revision}; {read}.");
            return;
        }

        string contents = string.Create(
            CultureInfo.InvariantCulture,
            $"{result.Contents.Regular} files, {result.Contents.Symlinks} links, {result.Contents.Directories - result.Contents.Nested} "
            + $"directories, {SeedView.Size(result.Contents.FileBytes)}");
        Console.WriteLine($"{place.Fqrn} revision {result.Manifest.Revision} is published: {contents}.");
        Console.WriteLine($"{read}; {result.NewObjects} new objects ({SeedView.Size(result.NewBytes)}).");
        if (place.IsStored)
        {
            return;
        }

        string root = RepositoryFolder.RootOf(place.Folder, place.Fqrn);
        Console.WriteLine($"Served from {root} as /cvmfs/{place.Fqrn}; clients' key: {place.PublishKeys.PublicPath}");
    }
}
