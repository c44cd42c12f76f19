using System.CommandLine;
using Breakwater.CacheStore.Disk;
using Breakwater.Proxy.Commands.Publish.Keys;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands.Publish;

/// <summary><c>breakwater publish whitelist</c>: signs the whitelist again, here or where the master key is.</summary>
internal static class PublishWhitelistCommand
{
    private static readonly Option<FileInfo> s_master = new Option<FileInfo>("--master")
    {
        Description = "The secret master key; default: the one in the folder of the keys",
        HelpName = "FILE",
    }.AcceptExistingOnly();

    private static readonly Option<FileInfo[]> s_certificates = new("--certificate")
    {
        Description = "A certificate that may sign; default: the one in the folder of the keys. Give both while a key is replaced",
        HelpName = "FILE",
    };

    private static readonly Option<int?> s_days = new("--days")
    {
        Description = "How long it is valid; default: Publish:WhitelistValidity",
        HelpName = "N",
    };

    private static readonly Option<FileInfo> s_file = new("--file")
    {
        Description = "Write it here instead of into the repository: to be carried to the machine that publishes",
        HelpName = "FILE",
    };

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        s_days.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(int.TryParse(result.Tokens[0].Value, out int days) && days is >= 1 and <= 3650))
            {
                result.AddError($"--days: '{result.Tokens[0].Value}' is not a number from 1 to 3650.");
            }
        });
        Command command = new("whitelist", "Sign the whitelist again, by which clients trust the repository until it expires")
        {
            s_master, s_certificates, s_days, s_file, PublishPlace.Repository, PublishPlace.Output, PublishPlace.Keys, SettingsFile.Option,
        };
        PublishPlace.SetAction(command, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        PublishPlace place = PublishPlace.Of(parsed);
        PublishKeys keys = place.PublishKeys;
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        TimeSpan validity = parsed.GetValue(s_days) is { } days ? TimeSpan.FromDays(days) : place.WhitelistValidity;
        string master = parsed.GetValue(s_master)?.FullName ?? keys.MasterPath;
        string[] certificates = [.. (parsed.GetValue(s_certificates) ?? []).Select(file => file.FullName)];
        if (parsed.GetValue(s_file) is null && !NamedPath.IsFile(master))
        {
            return await ShowCarriedAsync(place, keys, now, cancellationToken);
        }

        byte[][] listed =
            [.. (certificates.Length > 0 ? certificates : [keys.CertificatePath]).Select(path => PublishKeys.DerOf(ReadFile(path), path))];
        byte[] whitelist = keys.SignWhitelist(keys.ReadKey(master), listed, now, validity);
        if (parsed.GetValue(s_file) is { } file)
        {
            WholeFile.Write(file.FullName, whitelist, WholeFile.Readable);
            Console.WriteLine($"{file.FullName}: valid until {now + validity:u}. Save it as {keys.WhitelistPath} where the repository is "
                + $"published, then run 'breakwater publish whitelist --repository {place.Fqrn}' there.");
            return 0;
        }

        if (keys.Judge(whitelist, now) is { } problem)
        {
            throw new PublishException($"Clients would refuse this whitelist: {problem} Nothing was changed.");
        }

        await ShowAsync(place, whitelist, cancellationToken);
        return 0;
    }

    private static byte[] ReadFile(string path) => NamedPath.IsFile(path)
        ? File.ReadAllBytes(path)
        : throw new PublishException($"There is no {path}: name the certificate with --certificate.");

    /// <summary>The master key is elsewhere: the whitelist that was brought from there is shown.</summary>
    private static async Task<int> ShowCarriedAsync(
        PublishPlace place, PublishKeys keys, DateTimeOffset now, CancellationToken cancellationToken)
    {
        (RepositoryFolder folder, _) = await place.OpenAsync(cancellationToken);
        byte[] whitelist;
        using (folder)
        {
            whitelist = WhitelistRenewal.Choose(folder, keys, place.WhitelistValidity, now);
        }

        await ShowAsync(place, whitelist, cancellationToken);
        return 0;
    }

    private static async Task ShowAsync(PublishPlace place, byte[] whitelist, CancellationToken cancellationToken)
    {
        (RepositoryFolder folder, _) = await place.OpenAsync(cancellationToken);
        using (folder)
        {
            folder.Write(RepositoryFolder.Whitelist, whitelist);
        }

        await StoreDelivery.RunAsync(place, cancellationToken);
        Console.WriteLine($"{place.Fqrn}: the whitelist is valid until {WhitelistRenewal.ExpiryOf(whitelist):u}.");
    }
}
