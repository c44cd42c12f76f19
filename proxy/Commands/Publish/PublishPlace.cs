using System.CommandLine;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Commands.Publish.Keys;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Publish.Revisions;
using Breakwater.Proxy.Commands.Publish.Tree;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands.Publish;

/// <summary>Which repository, where it is published and where its keys are: what all commands of <c>publish</c> are told alike.</summary>
internal sealed record PublishPlace
{
    /// <summary><c>--repository FQRN</c>.</summary>
    public static readonly Option<string> Repository = new("--repository", "-r")
    {
        Description = "Name of the repository, such as os.lab.example",
        HelpName = "FQRN",
        Required = true,
    };

    /// <summary><c>--output DIR</c>.</summary>
    public static readonly Option<DirectoryInfo> Output = new("--output", "-o")
    {
        Description = "Folder into which it is published; DIR/cvmfs is what a web server serves as /cvmfs. Default: Publish:Path",
        HelpName = "DIR",
    };

    /// <summary><c>--keys DIR</c>.</summary>
    public static readonly Option<DirectoryInfo> Keys = new("--keys", "-k")
    {
        Description = "Folder of the keys. Default: Publish:KeysDirectory",
        HelpName = "DIR",
    };

    static PublishPlace() => Repository.Validators.Add(result =>
    {
        if (result.Tokens.Count > 0 && !SeedPath.IsFqrn(result.Tokens[0].Value))
        {
            result.AddError($"--repository: '{result.Tokens[0].Value}' is not the name of a repository: letters, digits, "
                + "'-' and '_' in parts with dots.");
        }
    });

    /// <summary>Name of the repository.</summary>
    public required string Fqrn { get; init; }

    /// <summary>Where it is published.</summary>
    public required string Folder { get; init; }

    /// <summary>Where its keys are.</summary>
    public required string KeysFolder { get; init; }

    /// <summary>How long a new whitelist is valid.</summary>
    public required TimeSpan WhitelistValidity { get; init; }

    /// <summary>The settings file that was named; null: none.</summary>
    public required FileInfo? SettingsFrom { get; init; }

    /// <summary>Does it go straight into Breakwater's own store?</summary>
    public required bool IsStored { get; init; }

    /// <summary>Its keys.</summary>
    public PublishKeys PublishKeys => new(KeysFolder, Fqrn);

    /// <summary>What the command line and the settings say.</summary>
    /// <exception cref="SettingsException">The settings are wrong.</exception>
    public static PublishPlace Of(ParseResult parsed)
    {
        FileInfo? from = parsed.GetValue(SettingsFile.Option);
        BreakwaterSettings all = SettingsFile.Read(from).Settings;
        PublishOptions settings = all.Publish;
        string fqrn = parsed.GetRequiredValue(Repository);
        return new PublishPlace
        {
            Fqrn = fqrn,
            SettingsFrom = from,
            IsStored = all.Repositories.TryGetValue(fqrn, out RepositoryOptions? repository) && repository.Published,
            Folder = parsed.GetValue(Output)?.FullName ?? settings.Path,
            KeysFolder = parsed.GetValue(Keys)?.FullName ?? settings.KeysDirectory,
            WhitelistValidity = settings.WhitelistValidity,
        };
    }

    /// <summary>Opens the repository, which must be published already.</summary>
    /// <exception cref="PublishException">It is not, or another command is at work on it.</exception>
    public async Task<(RepositoryFolder Folder, CurrentRepository Current)> OpenAsync(CancellationToken cancellationToken)
    {
        if (!NamedPath.IsFolder(RepositoryFolder.RootOf(Folder, Fqrn)))
        {
            throw new PublishException($"{Fqrn} is not published in {Folder}. Name another folder with --output.");
        }

        RepositoryFolder folder = RepositoryFolder.Open(Folder, Fqrn);
        CurrentRepository? current = null;
        try
        {
            current = await CurrentRepository.LoadAsync(folder, cancellationToken);
            return current is null
                ? throw new PublishException($"{Fqrn} is not published in {Folder} yet: run 'breakwater publish DIRECTORY'.")
                : (folder, current);
        }
        finally
        {
            if (current is null)
            {
                folder.Dispose();
            }
        }
    }

    /// <summary>What a command does; every expected failure is one sentence on standard error.</summary>
    public static void SetAction(Command command, Func<ParseResult, CancellationToken, Task<int>> run) =>
        command.SetAction((parsed, cancellationToken) => RunAsync(run, parsed, cancellationToken));

    private static async Task<int> RunAsync(
        Func<ParseResult, CancellationToken, Task<int>> run, ParseResult parsed, CancellationToken cancellationToken)
    {
        try
        {
            return await run(parsed, cancellationToken);
        }
        catch (SettingsException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return ExitCodes.WrongSettings;
        }
        catch (Exception e) when (e is PublishException or TreeException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return ExitCodes.Refused;
        }
        catch (SeedRefusedException e)
        {
            await Console.Error.WriteLineAsync($"The store refuses it: {e.Message}. Clients see the revision before.");
            return ExitCodes.Refused;
        }
        catch (Exception e) when (e is SeedStoreException or AdminException)
        {
            await Console.Error.WriteLineAsync($"The store did not take it, clients see the revision before: {e.Message}");
            return ExitCodes.Unavailable;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"{e.Message} What clients see is unchanged.");
            return ExitCodes.CannotStart;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Interrupted: what was published before is unchanged.");
            return ExitCodes.Interrupted;
        }
    }
}
