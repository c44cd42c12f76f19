using System.Globalization;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Spectre.Console;

namespace Breakwater.Proxy.Commands.Seed;

/// <summary>What people see of seeds. Progress and remarks go to standard error, tables to standard output.</summary>
internal static class SeedView
{
    private static readonly IAnsiConsole s_error =
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>A remark.</summary>
    public static void Say(string text, bool toError = true) => (toError ? Console.Error : Console.Out).WriteLine(text);

    /// <summary>Runs with a progress bar where there is a terminal.</summary>
    public static Task<T> ProgressAsync<T>(string title, Func<IProgress<SeedProgress>?, Task<T>> run) =>
        ProgressAsync(s_error, title, run);

    /// <summary>Runs with a progress bar where the console is a terminal.</summary>
    public static async Task<T> ProgressAsync<T>(IAnsiConsole console, string title, Func<IProgress<SeedProgress>?, Task<T>> run)
    {
        if (!console.Profile.Capabilities.Interactive || !console.Profile.Capabilities.Ansi)
        {
            return await run(null);
        }

        return await console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 30 }, new PercentageColumn(),
            new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                ProgressTask bar = context.AddTask(Markup.Escape(title));
                return await run(new Reporter(progress =>
                {
                    bar.MaxValue = Math.Max(1, progress.TotalObjects);
                    bar.Value = progress.Objects;
                    bar.Description = $"{Markup.Escape(title)} {progress.Objects} objects, {Size(progress.Bytes)}";
                }));
            });
    }

    /// <summary>A bundle's index; to standard error when standard output is the bundle itself.</summary>
    public static void Show(SeedIndex index, DateTimeOffset now, bool toError = false)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("repository", "boots", "revision", "scope", "whitelist");
        foreach (SeedRepository repository in index.Repositories)
        {
            IReadOnlyList<SeedSnapshot> snapshots = repository.Snapshots.Count > 0
                ? repository.Snapshots
                : [new SeedSnapshot("(renews the whitelist)", repository.Revision, "", "", false)];
            foreach (SeedSnapshot snapshot in snapshots)
            {
                table.AddRow(
                    Markup.Escape(repository.Fqrn), Markup.Escape(snapshot.Tag.Length == 0 ? "trunk" : snapshot.Tag),
                    snapshot.Revision.ToString(CultureInfo.InvariantCulture), Markup.Escape(snapshot.Scope),
                    DaysLeft(repository.WhitelistExpires, now));
            }
        }

        if (toError)
        {
            Output.WriteError(table, s_error);
        }
        else
        {
            Output.Write(table);
        }

        Say(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{index.Name}: {index.Objects} objects, {Size(index.ObjectBytes)}; {index.Links} shared between repositories; "
                + $"{index.Inherited} inherited from an earlier bundle"),
            toError);
    }

    /// <summary>The seeds of a store.</summary>
    public static void Show(IReadOnlyList<SeedRecord> seeds, DateTimeOffset now)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("seed", "repository", "boots", "objects", "whitelist");
        foreach (SeedRecord seed in seeds)
        {
            foreach (SeedRecordRepository repository in seed.Repositories)
            {
                string boots =
                    string.Join(", ", repository.Snapshots.Select(snapshot => snapshot.Tag.Length == 0 ? "trunk" : snapshot.Tag));
                table.AddRow(
                    Markup.Escape(seed.Name), Markup.Escape(repository.Fqrn) + TrustOf(repository),
                    Markup.Escape(boots),
                    seed.Objects.ToString(CultureInfo.InvariantCulture), DaysLeft(repository.WhitelistExpires, now));
            }
        }

        Output.Write(table);
    }

    private static string TrustOf(SeedRecordRepository repository) => repository.IsVerified ? ""
        : repository.Problem is null ? " (unverified)" : " (refused by this site's key)";

    /// <summary>What an import did.</summary>
    public static void Show(SeedImportResult result, bool asJson)
    {
        if (asJson)
        {
            Output.WriteJson(result);
            return;
        }

        Console.WriteLine(
            $"Seed {result.Record.Name} is in: {result.Record.Objects} objects, {result.NewObjects} of them new, all verified and pinned.");
        foreach (string warning in result.Warnings)
        {
            Say("Note: " + warning);
        }
    }

    /// <summary>Bytes for people.</summary>
    public static string Size(long bytes) => bytes switch
    {
        >= 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB"),
        >= 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} KB"),
    };

    private static string DaysLeft(DateTimeOffset expires, DateTimeOffset now) => expires <= now
        ? "expired: reboots only"
        : string.Create(CultureInfo.InvariantCulture, $"{(long)(expires - now).TotalDays} days left");

    private sealed class Reporter(Action<SeedProgress> report) : IProgress<SeedProgress>
    {
        public void Report(SeedProgress value) => report(value);
    }
}
