using System.CommandLine;
using System.Globalization;
using Breakwater.Proxy.Commands.Publish.Keys;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Publish.Revisions;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish;

/// <summary><c>breakwater publish list</c>: what is published, and under which names.</summary>
internal static class PublishListCommand
{
    private static readonly Option<bool> s_json = Output.JsonOption();

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        Command command = new("list", "Show the current revision, its tags and until when clients trust it")
        {
            PublishPlace.Repository, PublishPlace.Output, s_json, SettingsFile.Option,
        };
        PublishPlace.SetAction(command, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        PublishPlace place = PublishPlace.Of(parsed);
        (RepositoryFolder folder, CurrentRepository current) = await place.OpenAsync(cancellationToken);
        using (folder)
        {
            DateTimeOffset? trustedUntil = folder.Read(RepositoryFolder.Whitelist) is { } whitelist
                ? WhitelistRenewal.ExpiryOf(whitelist)
                : null;
            Tag[] tags = [.. current.Tags.OrderByDescending(tag => tag.CreatedAt).ThenBy(tag => tag.Name, StringComparer.Ordinal)];
            if (parsed.GetValue(s_json))
            {
                Output.WriteJson(new
                {
                    Repository = place.Fqrn,
                    current.Manifest.Revision,
                    current.Manifest.PublishedAt,
                    TrustedUntil = trustedUntil,
                    Tags = tags.Select(tag =>
                        new { tag.Name, tag.Revision, tag.CreatedAt, RootCatalog = tag.RootCatalog.ToString(), tag.Description }),
                });
                return 0;
            }

            string until = trustedUntil is { } end ? $"{end:u}" : "never: it has no whitelist";
            Console.WriteLine($"{place.Fqrn} revision {current.Manifest.Revision}, published {current.Manifest.PublishedAt:u}, "
                + $"trusted until {until}");
            foreach (Tag tag in tags)
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{tag.Name,-20} revision {tag.Revision,-6} {tag.CreatedAt:u}  {tag.RootCatalog}  "
                        + $"{tag.Description}").TrimEnd());
            }
        }

        return 0;
    }
}
