package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	replyCount  = 60
	replyPeriod = 3 * time.Minute
	replyBar    = 2 * time.Second
	// firstPerson is the Telegram user who writes first in this step; others follow.
	firstPerson  = 9000
	replyPersons = 6
)

// proveReplies queues replies, spread over minutes, and looks at the simulator's own
// record of when each arrived: the CronJob's runs must hand over from one to the next
// without a gap.
func (e *e2e) proveReplies(ctx context.Context) error {
	in := e.support
	var threads []string
	for n := range replyPersons {
		a, err := e.simulator.says(ctx, sampleBotToken, firstPerson+int64(n), "Is anybody there?")
		if err != nil {
			return err
		}
		threads = append(threads, a.ThreadID)
	}
	ours, err := e.clockAhead(ctx)
	if err != nil {
		return err
	}

	queued := make([]time.Time, replyCount)
	tick := time.NewTicker(replyPeriod / replyCount)
	defer tick.Stop()
	for n := range queued {
		queued[n] = time.Now()
		a, err := in.reply(ctx, threads[n%len(threads)], replyText(n), fmt.Sprintf("timed-%d", n))
		if err == nil && a.status != http.StatusCreated {
			err = fmt.Errorf("answered %s", a)
		}
		if err != nil {
			return fmt.Errorf("queueing reply %d: %w", n, err)
		}
		if n == replyCount-1 {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}

	arrived := map[string][]time.Time{}
	err = await(ctx, 30*time.Second, "the last reply to arrive", func(ctx context.Context) (string, error) {
		clear(arrived)
		sent, err := e.simulator.sent(ctx)
		for _, s := range sent {
			arrived[s.Text] = append(arrived[s.Text], s.At)
		}
		if len(arrived[replyText(replyCount-1)]) == 0 {
			return "it has not arrived", err
		}
		return "", err
	})
	if err != nil {
		return err
	}
	var took []time.Duration
	var wrong []string
	for n, at := range queued {
		times := arrived[replyText(n)]
		if len(times) != 1 {
			wrong = append(wrong, fmt.Sprintf("reply %d arrived %d times", n, len(times)))
			continue
		}
		d := times[0].Add(ours).Sub(at)
		if took = append(took, d); d > replyBar {
			wrong = append(wrong, fmt.Sprintf("reply %d arrived after %d ms", n, d.Milliseconds()))
		}
	}
	if len(took) > 0 {
		slices.Sort(took)
		e.say("replies: %d arrived; median %d ms, slowest %d ms after they were queued", len(took), took[len(took)/2].Milliseconds(), took[len(took)-1].Milliseconds())
	}
	if len(wrong) > 0 {
		return fmt.Errorf("replies were late, lost or sent twice; each must arrive once, within %s:\n  %s", replyBar, joinLines(wrong))
	}
	return errors.Join(e.proveDelivered(ctx, in, threads), e.proveRuns(ctx))
}

func replyText(n int) string { return fmt.Sprintf("Timed reply %d", n) }

// clockAhead is how far this process's clock is ahead of the simulator's pod's, which
// is nothing on a node of this machine.
func (e *e2e) clockAhead(ctx context.Context) (time.Duration, error) {
	if e.cluster.direct() {
		return 0, nil
	}
	before := time.Now()
	const person, text = firstPerson - 1, "What time is it?"
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/bot%s/sendMessage?chat_id=%d&text=tick", e.simulator.url, "7:clock", person), nil)
	if err != nil {
		return 0, fmt.Errorf("asking for the simulator's time: %w", err)
	}
	resp, err := e.simulator.http.Do(r)
	if err != nil {
		return 0, fmt.Errorf("asking for the simulator's time: %w", err)
	}
	_ = resp.Body.Close()
	middle := before.Add(time.Since(before) / 2)
	sent, err := e.simulator.sent(ctx)
	for _, s := range sent {
		if s.ChatID == person {
			return middle.Sub(s.At), err
		}
	}
	return 0, errors.Join(err, errors.New("asking for the simulator's time: it has no record of "+text))
}

// proveDelivered looks for a reply that the inbox does not show as delivered.
func (e *e2e) proveDelivered(ctx context.Context, in *inbox, threads []string) error {
	return await(ctx, 10*time.Second, "every reply to be shown as delivered", func(ctx context.Context) (string, error) {
		for _, id := range threads {
			messages, err := in.messages(ctx, id)
			if err != nil {
				return "", err
			}
			for _, m := range messages {
				if m.Direction == "outbound" && (m.Delivery == nil || m.Delivery.Status != "completed") {
					return fmt.Sprintf("%q is shown as %+v", m.Text, m.Delivery), nil
				}
			}
		}
		return "", nil
	})
}

// proveRuns checks that it was the CronJob's pods that delivered, one after the other.
func (e *e2e) proveRuns(ctx context.Context) error {
	var jobs batchv1.JobList
	if err := e.kube.List(ctx, &jobs, client.InNamespace(systemNamespace)); err != nil {
		return fmt.Errorf("listing the worker's runs: %w", err)
	}
	ran, failed := 0, 0
	for _, j := range jobs.Items {
		for _, owner := range j.OwnerReferences {
			if owner.Kind == "CronJob" {
				ran++
				if j.Status.Failed > 0 {
					failed++
				}
			}
		}
	}
	if ran < 2 || failed > 0 {
		return fmt.Errorf("the worker's CronJob has %d runs, of which %d failed; want at least 2 and none failed", ran, failed)
	}
	var schedule batchv1.CronJobList
	if err := e.kube.List(ctx, &schedule, client.InNamespace(systemNamespace)); err != nil {
		return fmt.Errorf("looking at the worker's CronJob: %w", err)
	}
	if len(schedule.Items) != 1 || schedule.Items[0].Status.LastSuccessfulTime == nil {
		return fmt.Errorf("%d CronJobs in %s; want one, with a last successful run", len(schedule.Items), systemNamespace)
	}
	return nil
}
